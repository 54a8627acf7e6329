"""Pages of model cards."""

from django.urls import path

from registry.cards import views

app_name = "cards"
CARD = "models/<str:name>/card/"

urlpatterns = [
    path(CARD, views.card, name="card"),
    path(f"{CARD}edit/", views.edit_card, name="edit"),
    path(f"{CARD}revisions/<int:number>/", views.card_revision, name="revision"),
]
