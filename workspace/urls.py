from django.urls import path
from django.views.generic import RedirectView

from workspace import views

urlpatterns = [
    path("", RedirectView.as_view(url="/inbox/"), name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("admin/system/", views.system_page, name="system"),
    path("jobs/", views.job_list, name="job-list"),
    path("jobs/<uuid:pk>/", views.job_detail, name="job-detail"),
    path("jobs/<uuid:pk>/cancel/", views.job_cancel, name="job-cancel"),
    path("search/", views.search, name="search"),
]
