from django.apps import AppConfig


class CostsConfig(AppConfig):
    name = "monitoring.costs"
    label = "monitoring_costs"
    verbose_name = "Costs"
