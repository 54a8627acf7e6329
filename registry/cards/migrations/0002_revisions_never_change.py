"""A revision of a card stays as it was written: the database itself refuses, whoever asks."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION registry_cards_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a revision of a model card never changes' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER card_revisions_never_change BEFORE UPDATE OR DELETE ON registry_cards_cardrevision
    FOR EACH ROW EXECUTE FUNCTION registry_cards_refuse_change();
"""
THAW = """
DROP TRIGGER card_revisions_never_change ON registry_cards_cardrevision;
DROP FUNCTION registry_cards_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("registry_cards", "0001_model_cards")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
