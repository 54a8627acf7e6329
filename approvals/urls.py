from django.urls import path

from approvals import views

urlpatterns = [
    path("approvals/", views.request_list, name="request-list"),
    path("approvals/<uuid:pk>/", views.request_detail, name="request-detail"),
    path("approvals/<uuid:pk>/gates/", views.gates, name="request-gates"),
    path("approvals/<uuid:pk>/decide/", views.decide, name="request-decide"),
    path("approvals/<uuid:pk>/evaluate-again/", views.evaluate_again, name="request-evaluate-again"),
    path("approvals/<uuid:pk>/withdraw/", views.withdraw, name="request-withdraw"),
    path("models/<str:name>/versions/<int:number>/promote/", views.promote, name="promote-version"),
]
