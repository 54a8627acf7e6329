from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "monitoring.incidents"
    label = "monitoring_incidents"
    verbose_name = "Alerts and incidents"
