from allauth.account.views import LoginView, LogoutView
from django.urls import path

from accounts import doors, people, views
from accounts.groups import doors as groups

urlpatterns = [
    path("login/", LoginView.as_view(), name="account_login"),
    path("logout/", LogoutView.as_view(), name="account_logout"),
    path("internal/signed-in", doors.signed_in, name="signed-in"),
    path("settings/tokens/", views.token_list, name="token-list"),
    path("settings/tokens/<uuid:pk>/revoke/", views.revoke_token, name="revoke-token"),
    path("settings/profile/", views.profile, name="profile"),
    path("groups/", groups.group_list, name="group-list"),
    path("groups/<str:name>/", groups.group, name="group"),
    path("groups/<str:name>/rename/", groups.rename_group, name="rename-group"),
    path("groups/<str:name>/delete/", groups.confirm_deletion, name="confirm-group-deletion"),
    path("groups/<str:name>/delete/now/", groups.delete_group, name="delete-group"),
    path("groups/<str:name>/members/<str:account>/remove/", groups.remove_member, name="remove-member"),
    path("admin/people/", people.people, name="people"),
    path("admin/people/<str:name>/", people.person, name="person"),
    path("admin/people/<str:name>/roles/give/", people.give_role, name="give-role"),
    path("admin/people/<str:name>/roles/take/", people.take_role, name="take-role"),
    path("admin/people/<str:name>/deactivate/", people.deactivate, name="deactivate"),
    path("admin/people/<str:name>/activate/", people.activate, name="activate"),
]
