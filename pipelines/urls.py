"""Pages of data and pipelines."""

from django.urls import path

from pipelines.views import adding, contracts, datasets, differences, runs

app_name = "pipelines"

urlpatterns = [
    path("data/", datasets.dataset_list, name="datasets"),
    # No data set can be named so: names begin with a letter or digit.
    path("data/_new/", datasets.new_dataset, name="new-dataset"),
    path("data/<str:name>/", datasets.dataset_detail, name="dataset"),
    path("data/<str:name>/add/", adding.add_version, name="add-version"),
    path("data/<str:name>/edit/", datasets.edit_dataset, name="edit-dataset"),
    path(
        "data/<str:name>/versions/<int:number>/quarantine/",
        datasets.quarantine_version,
        name="quarantine-version",
    ),
    path("data/<str:name>/versions/<int:number>/check/", contracts.check_version, name="check-version"),
    path("data/<str:name>/contract/", contracts.contract_detail, name="contract"),
    path("data/<str:name>/contract/edit/", contracts.edit_contract, name="edit-contract"),
    path("data/<str:name>/compare/", differences.compare_versions, name="compare-versions"),
    path("data/<str:name>/compare/measure/", differences.measure_difference, name="measure-difference"),
    path("pipelines/", runs.pipeline_list, name="pipelines"),
    path("pipelines/<str:name>/", runs.pipeline_detail, name="pipeline"),
    path("pipelines/<str:name>/runs/<uuid:key>/", runs.run_detail, name="run"),
    path("pipelines/<str:name>/runs/<uuid:key>/cancel/", runs.cancel_run, name="cancel-run"),
]
