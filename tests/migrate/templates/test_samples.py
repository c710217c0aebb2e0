"""Samples of other tools' files become the template's samples, which render."""

import diptych
from diptych.migrate import migrate_template


def test_samples_of_prompty_are_carried_over():
    text = "---\nname: greet\nsample: {first-name: Ann, n: 2}\n---\nsystem:\nHi {{ n }}\n\nuser:\nI am {{ n }}\n"
    found = migrate_template(text, "greet.prompty")
    template = diptych.Template.from_string(found.source)
    (sample,) = template.samples.values()
    assert sample["n"] == 2
    assert "field-dropped" not in {loss.kind for loss in found.losses}
    assert template.render(sample).messages[1]["content"] == "I am 2"


def test_a_sample_in_another_file_is_a_loss():
    found = migrate_template("---\nname: greet\nsample: ${file:sample.json}\n---\nsystem:\nHi\n", "greet.prompty")
    assert [(loss.path, loss.kind) for loss in found.losses] == [("$.sample", "field-dropped")]
