"""How the embedded model is trained from nothing: fonts, texts, rendering, training."""
