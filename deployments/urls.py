"""Pages of deployments."""

from django.urls import path

from deployments import views

app_name = "deployments"

urlpatterns = [
    path("deployments/", views.deployment_list, name="deployments"),
    path("deployments/<uuid:pk>/", views.deployment_detail, name="deployment"),
    path("deployments/<uuid:pk>/pause/", views.pause_deployment, name="pause-deployment"),
    path("deployments/<uuid:pk>/continue/", views.continue_deployment, name="continue-deployment"),
    path("deployments/<uuid:pk>/abort/", views.abort_deployment, name="abort-deployment"),
    path("deployments/<uuid:pk>/retire/", views.retire_deployment, name="retire-deployment"),
    path("targets/<slug:name>/", views.target_detail, name="target"),
    path("models/<str:name>/rollback/", views.roll_back, name="roll-back"),
    path("models/<str:name>/versions/<int:number>/deploy/", views.deploy_version, name="deploy-version"),
]
