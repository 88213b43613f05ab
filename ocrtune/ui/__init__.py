"""The page: tabs lay out, actions do, views show, words say. Only here is gradio known."""
