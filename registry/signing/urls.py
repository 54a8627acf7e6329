"""Pages about keys and signatures."""

from django.urls import path

from registry.signing import views

app_name = "signing"

urlpatterns = [
    path("admin/signing-keys/", views.signing_keys, name="keys"),
    path("admin/signing-keys/<uuid:pk>/retire/", views.retire_key, name="retire-key"),
    path("models/<str:name>/versions/<int:number>/signature/", views.check_signature, name="check-signature"),
]
