"""Pages of the registry."""

from django.urls import path

from registry.views import access, aliases, deleting, models, tags, versions, writing

app_name = "registry"
VERSION = "models/<str:name>/versions/<int:number>/"

urlpatterns = [
    path("models/", models.model_list, name="models"),
    path("prompts/new/", writing.new_prompt, name="new-prompt"),
    path("models/<str:name>/", models.model_detail, name="model"),
    path("models/<str:name>/edit/", models.edit_model, name="edit-model"),
    path("models/<str:name>/rename/", models.rename_model, name="rename-model"),
    path("models/<str:name>/delete/", deleting.delete_model, name="delete-model"),
    path("models/<str:name>/access/", access.model_access, name="model-access"),
    path("models/<str:name>/access/revoke/", access.revoke_right, name="revoke-right"),
    path("models/<str:name>/aliases/set/", aliases.set_of_model, name="set-alias"),
    path("models/<str:name>/aliases/remove/", aliases.remove_of_model, name="remove-alias"),
    path("models/<str:name>/tags/set/", tags.set_of_model, name="set-tag"),
    path("models/<str:name>/tags/remove/", tags.remove_of_model, name="remove-tag"),
    path("models/<str:name>/versions/new/", writing.new_prompt_version, name="new-prompt-version"),
    path(VERSION, versions.version_detail, name="version"),
    path(f"{VERSION}status/", versions.version_status, name="version-status"),
    path(f"{VERSION}edit/", versions.edit_version, name="edit-version"),
    path(f"{VERSION}delete/", deleting.delete_version, name="delete-version"),
    path(f"{VERSION}aliases/set/", aliases.set_of_version, name="set-alias-of-version"),
    path(f"{VERSION}aliases/remove/", aliases.remove_of_version, name="remove-alias-of-version"),
    path(f"{VERSION}tags/set/", tags.set_of_version, name="set-tag-of-version"),
    path(f"{VERSION}tags/remove/", tags.remove_of_version, name="remove-tag-of-version"),
    path(f"{VERSION}verify/", versions.verify_version, name="verify-version"),
    path(f"{VERSION}retry/", versions.retry_registration, name="retry-registration"),
]
