"""Letters of other scripts that are printed like a Latin letter, and kana printed like Han."""

CYRILLIC = dict(
    zip("АВЕЅІЈКМНОРСТУХаеоруцсхѕіјһԁԛԝѵг", "ABESIJKMHOPCTYXaeopyucxsijhdqwvr", strict=True)
)
GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινυκχρ", "ABEZHIKMNOPTYXoivukxp", strict=True))
PLAIN_LETTERS = {**CYRILLIC, **GREEK}
PLAIN_KANA = dict(zip("ロニカエトハタミー", "口二力工卜八夕三一", strict=True))
