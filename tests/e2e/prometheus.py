"""Reads Prometheus' text format: strictly, and with Prometheus' own Python client where that is installed."""

import re

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})?'
    r" (?P<value>[^ ]+)$"
)


def parse(text):
    """{family: (type, {(sample, labels): value})}; any line that the format does not know fails."""
    families, present = {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            present = line.split(" ", 3)[2]
            assert present not in families, f"{present} twice"
            families[present] = [None, {}]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == present and kind in ["counter", "gauge", "histogram"]
            families[name][0] = kind
        else:
            match = SAMPLE.match(line)
            assert match, line
            name = match["name"]
            base = re.sub("_(bucket|sum|count)$", "", name)
            assert present == (base if families[present][0] == "histogram" else name), line
            key = (name, match["labels"])
            assert key not in families[present][1], line
            families[present][1][key] = float(match["value"])
    check_with_client(text, families)
    return families


def check_with_client(text, families):
    """The client must find the same samples."""
    if text_string_to_metric_families is None:
        return
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    expected = {
        (name, tuple(sorted(LABEL.findall(labels or "")))): value
        for _, samples in families.values()
        for (name, labels), value in samples.items()
    }
    assert found == expected, set(found.items()) ^ set(expected.items())


def value(families, name, **labels):
    """Of the one sample of that name with these labels, others aside."""
    wanted = [f'{label}="{text}"' for label, text in labels.items()]
    family = next(f for f in families.values() if any(sample == name for sample, _ in f[1]))
    found = [
        number
        for (sample, text), number in family[1].items()
        if sample == name and all(each in (text or "").split(",") for each in wanted)
    ]
    assert len(found) == 1, f"{name} {labels}: {found}"
    return found[0]
