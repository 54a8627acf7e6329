from django.urls import path

from workspace.saved_views import views

app_name = "saved-views"
urlpatterns = [
    path("views/", views.save, name="save"),
    path("views/<uuid:pk>/delete/", views.delete, name="delete"),
    path("views/<uuid:pk>/restore/", views.restore, name="restore"),
]
