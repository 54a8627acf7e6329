"""Pages of monitoring, costs and incidents."""

from django.urls import path

from monitoring import views
from monitoring.costs import views as costs
from monitoring.incidents import views as incidents

app_name = "monitoring"

urlpatterns = [
    path("monitoring/", views.monitoring_list, name="monitoring"),
    path("models/<str:name>/monitoring/", views.model_monitoring, name="model"),
    path("costs/", costs.cost_page, name="costs"),
    path("incidents/", incidents.incident_list, name="incidents"),
    path("incidents/<uuid:pk>/", incidents.incident_detail, name="incident"),
    path("incidents/<uuid:pk>/acknowledge/", incidents.acknowledge, name="acknowledge-incident"),
    path("incidents/<uuid:pk>/comment/", incidents.comment, name="comment-incident"),
    path("incidents/<uuid:pk>/resolve/", incidents.resolve, name="resolve-incident"),
    path("incidents/<uuid:pk>/roll-back/", incidents.roll_back, name="roll-back-incident"),
    path("incidents/<uuid:pk>/post-mortem/", incidents.write_post_mortem, name="write-post-mortem"),
]
