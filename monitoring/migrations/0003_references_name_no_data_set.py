from django.db import migrations

# A reference is read by everybody who sees the model: it names no data set, which not all of them may see.
TELL_LESS = """
    UPDATE monitoring_reference
    SET score_source = regexp_replace(score_source, ' rows of .*$', ' rows of its hold-out, which training left out')
    WHERE score_source LIKE '% rows of %, held out from training'
"""


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0002_segments_searched_for_labels")]

    operations = [migrations.RunSQL(TELL_LESS, migrations.RunSQL.noop)]
