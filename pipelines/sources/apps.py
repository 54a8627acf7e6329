from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "pipelines.sources"
    label = "pipelines_sources"
    verbose_name = "Sources of data sets"
