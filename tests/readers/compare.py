"""Whether a reader sees more in a body than what it was priced by."""

CREDITS = {"dear": 10, "cheap": 2}


def price_of(model, times):
    """As the routes of price.cpp have it; a model that is not served costs nothing."""
    text = bytes.fromhex(model).decode("utf-8", "replace").strip().lower() if model else ""
    credits = 10 if text.startswith("gpt-4") else 2 if text.startswith("gpt-3.5") else 0
    return credits * times


def times_of(seen):
    return max([1] + [int(seen[name]) for name in ("n", "best_of") if seen[name] is not None])


def json_findings(priced, seen):
    chat, query = priced["chat"], priced["query"]
    if chat and price_of(seen["model"], times_of(seen)) > CREDITS[chat["route"]] * chat["units"]:
        yield f"a call of {price_of(seen['model'], times_of(seen))} credits for {CREDITS[chat['route']] * chat['units']}"
    if query and max(1, seen["queries"]) > query["units"]:
        yield f"{seen['queries']} queries for {query['units']}"


def as_text(content):
    """What is left of bytes that a reader took for text. Some drop a last character that is not whole."""
    return {content[:len(content) - cut].decode(codec, how).encode("utf-8", "replace")
            for codec in ("utf-8", "latin-1", "cp1252") for how in ("replace", "ignore") for cut in range(4)}


def form_findings(priced, seen):
    ours = bytes.fromhex(priced["form"]["file"])
    files = [bytes.fromhex(each) for each in seen["file"]]
    if len(files) > 1:
        yield f"{len(files)} files for one"
    for content in files:
        if content != ours and content not in as_text(ours):
            yield f"{content!r} for {ours!r}"


def is_priced(priced):
    return any(priced.values())


def findings(priced, seen):
    if seen is None or not is_priced(priced):
        return []
    return list(form_findings(priced, seen) if "form" in priced else json_findings(priced, seen))


def sent_type(priced):
    """The type that goes up: the one that was written anew."""
    return bytes.fromhex(next(each["type"] for each in priced.values() if each))
