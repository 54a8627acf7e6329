from django.urls import path
from django.views.generic import RedirectView

from workspace import audit_trail, problems, reference_views, styleguide, views

urlpatterns = [
    path("", RedirectView.as_view(url="/inbox/"), name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("admin/system/", views.system_page, name="system"),
    path("jobs/", views.job_list, name="job-list"),
    path("jobs/<uuid:pk>/", views.job_detail, name="job-detail"),
    path("jobs/<uuid:pk>/cancel/", views.job_cancel, name="job-cancel"),
    path("search/", views.search, name="search"),
    path("docs/problems/", problems.problem_page, name="problems"),
    path("api/docs/", reference_views.api_docs, name="api-docs"),
    path("api/docs/<slug:name>/", reference_views.api_docs_of, name="api-docs-of"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("audit/", audit_trail.audit_trail, name="audit-trail"),
    path("audit/verify/", audit_trail.verify_now, name="audit-verify"),
    path("audit/exports/", audit_trail.export_list, name="audit-exports"),
    path("audit/exports/<uuid:pk>/", audit_trail.export_download, name="audit-export-download"),
    path("audit/exports/<uuid:pk>/retry/", audit_trail.export_retry, name="audit-export-retry"),
    path("audit/<uuid:pk>/", audit_trail.audit_event, name="audit-event"),
]
