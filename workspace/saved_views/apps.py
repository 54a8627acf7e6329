from django.apps import AppConfig


class SavedViewsConfig(AppConfig):
    name = "workspace.saved_views"
    label = "workspace_saved_views"
    verbose_name = "Saved views"
