from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="CounterState",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=64)),
                ("relation", models.BigIntegerField()),
                ("attribute", models.SmallIntegerField()),
                ("kept_by", models.TextField()),
                ("stopped", models.TextField(default="")),
                ("waits", models.BooleanField()),
                ("built_to", models.TextField(null=True)),
                ("built_at", models.DateTimeField(null=True)),
            ],
            options={"default_permissions": ()},
        ),
    ]
