"""The DeepSeek-OCR v1 network, composed from transformers' own parts; no remote code is run.

A picture becomes one or more *views* (a padded global view, sometimes crops). SAM encodes each
view, two strided convolutions make it 16 times smaller, CLIP reads the result as if it were its
patches, and both are projected to the text model's width. Reading order is: rows of the crops, rows
of the global view, one separator; a learned newline ends each row.

Architecture: Wei et al., "DeepSeek-OCR: Contexts Optical Compression", arXiv:2510.18234.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPVisionConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.conversion_mapping import register_checkpoint_conversion_mapping
from transformers.core_model_loading import (
    Chunk,
    Concatenate,
    MergeModulelist,
    WeightConverter,
    WeightRenaming,
)
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.models.clip.modeling_clip import CLIPEncoder
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import (
    DeepseekOcr2SamVisionConfig,
    DeepseekOcr2TextConfig,
)
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2SamVisionEncoder,
    DeepseekOcr2TextModel,
)

from ocrtune.families.attention import SamLayer, SamPatches

IGNORE_INDEX = -100  # a label that does not count
MODEL_TYPE = "ocrtune_deepseek_ocr"


class DeepseekOcrConfig(PreTrainedConfig):
    """The sizes of one network, grouped by its three towers."""

    model_type = MODEL_TYPE
    sub_configs = {
        "sam_config": DeepseekOcr2SamVisionConfig,
        "clip_config": CLIPVisionConfig,
        "text_config": DeepseekOcr2TextConfig,
    }

    def __init__(
        self,
        sam_config: dict | PreTrainedConfig | None = None,
        clip_config: dict | PreTrainedConfig | None = None,
        text_config: dict | PreTrainedConfig | None = None,
        view_size: Sequence[int] | None = None,
        image_token_id: int = 128815,
        **kwargs,
    ) -> None:
        """view_size: (height, width) in pixels when all views share one oblong shape, else None."""
        self.sam_config = _built(DeepseekOcr2SamVisionConfig, sam_config)
        self.clip_config = _built(CLIPVisionConfig, clip_config)
        self.text_config = _built(DeepseekOcr2TextConfig, text_config)
        self.view_size = list(view_size) if view_size else None
        self.image_token_id = image_token_id
        kwargs.setdefault("tie_word_embeddings", False)
        super().__init__(**kwargs)

    @classmethod
    def from_original(cls, values: dict, image_token_id: int = 128815) -> "DeepseekOcrConfig":
        """Return the sizes that the authors' `config.json` (as a dictionary) describes.

        Sizes their code fixes and the file leaves out take the fixed values; the same names may
        be given under `width` by smaller models of the family.
        """
        text = values.get("language_config") or values
        width = values["vision_config"]["width"]
        sam, clip = width["sam_vit_b"], width["clip-l-14-224"]
        view_size = values["vision_config"].get("view_size")
        return cls(
            sam_config={
                "hidden_size": sam["width"],
                "num_hidden_layers": sam["layers"],
                "num_attention_heads": sam["heads"],
                "global_attn_indexes": list(sam["global_attn_indexes"]),
                "downsample_channels": list(sam["downsample_channels"]),
                "output_channels": sam.get("output_channels", 256),
                "image_size": max(view_size) if view_size else sam.get("image_size", 1024),
                "patch_size": sam.get("patch_size", 16),
                "window_size": sam.get("window_size", 14),
            },
            clip_config={
                "hidden_size": clip["width"],
                "num_hidden_layers": clip["layers"],
                "num_attention_heads": clip["heads"],
                "intermediate_size": 4 * clip["width"],
                "image_size": clip["image_size"],
                "patch_size": clip["patch_size"],
                "hidden_act": "quick_gelu",
                "layer_norm_eps": 1e-5,
            },
            text_config=text_sizes(text),
            view_size=view_size,
            image_token_id=image_token_id,
            bos_token_id=text.get("bos_token_id", 0),
            eos_token_id=text.get("eos_token_id", 1),
            pad_token_id=values.get("pad_token_id", 2),
        )


def text_sizes(text: dict) -> dict:
    """Return what DeepseekOcr2TextConfig takes, from the authors' `language_config`."""
    layers, dense = text["num_hidden_layers"], text["first_k_dense_replace"]
    return {
        "vocab_size": text["vocab_size"],
        "hidden_size": text["hidden_size"],
        "intermediate_size": text["intermediate_size"],
        "moe_intermediate_size": text["moe_intermediate_size"],
        "num_hidden_layers": layers,
        "num_attention_heads": text["num_attention_heads"],
        "num_key_value_heads": text.get("num_key_value_heads"),
        "n_routed_experts": text["n_routed_experts"],
        "n_shared_experts": text["n_shared_experts"],
        "num_experts_per_tok": text["num_experts_per_tok"],
        "mlp_layer_types": ["dense" if i < dense else "sparse" for i in range(layers)],
        "max_position_embeddings": text.get("max_position_embeddings", 8192),
        "rms_norm_eps": text.get("rms_norm_eps", 1e-6),
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": float(text.get("rope_theta", 10_000)),
        },
        "routed_scaling_factor": float(text.get("routed_scaling_factor", 1.0)),
        "bos_token_id": text.get("bos_token_id", 0),
        "eos_token_id": text.get("eos_token_id", 1),
    }


def _built(kind: type, value: dict | PreTrainedConfig | None) -> PreTrainedConfig:
    return value if isinstance(value, PreTrainedConfig) else kind(**(value or {}))


@dataclass(frozen=True)
class PictureViews:
    """The pixels of one picture: float in [-1, 1], or uint8, a quarter of the bytes to move."""

    global_view: Tensor | None  # [3, height, width]
    crops: Tensor | None  # [columns * rows, 3, height, width], row by row
    grid: tuple[int, int] = (0, 0)  # (columns, rows) of the crops


def as_numbers(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """Return pixels in [-1, 1]; see `PictureViews` for what they may be."""
    if pixels.dtype == torch.uint8:
        pixels = pixels.float() / 127.5 - 1
    return pixels.to(dtype)


def resized_positions(table: Tensor, height: int, width: int) -> Tensor:
    """Return a position table [rows, columns, channels] resized to [height, width, channels].

    Bicubic with antialias, in fp32: what the authors do for views of another size.
    """
    if table.shape[:2] == (height, width):
        return table
    channels_first = table.permute(2, 0, 1).unsqueeze(0).float()
    resized = F.interpolate(channels_first, (height, width), mode="bicubic", antialias=True)
    return resized.squeeze(0).permute(1, 2, 0).to(table.dtype)


class ClipEmbeddings(nn.Module):
    """Class token and positions of CLIP; the patches come from SAM."""

    def __init__(self, config: CLIPVisionConfig, grid: tuple[int, int]) -> None:
        super().__init__()
        self.grid = grid  # (rows, columns) of the position table
        self.class_embedding = nn.Parameter(torch.zeros(config.hidden_size))
        # Never used, but strict loaders of the original format want it.
        self.patch_embedding = nn.Conv2d(
            config.num_channels,
            config.hidden_size,
            config.patch_size,
            config.patch_size,
            bias=False,
        )
        self.position_embedding = nn.Embedding(grid[0] * grid[1] + 1, config.hidden_size)

    def forward(self, patches: Tensor) -> Tensor:
        """patches: [views, channels, rows, columns]; returns [views, 1 + patches, channels]."""
        views, _, rows, columns = patches.shape
        table = self.position_embedding.weight
        positions = resized_positions(table[1:].view(*self.grid, -1), rows, columns).flatten(0, 1)
        first = (self.class_embedding + table[0]).expand(views, 1, -1)
        rest = patches.flatten(2).transpose(1, 2) + positions
        return torch.cat([first, rest], dim=1)


class ClipTower(PreTrainedModel):
    """CLIP over SAM's features, without its final normalisation."""

    config_class = CLIPVisionConfig
    _supports_sdpa = True
    _supports_attention_backend = True

    def __init__(self, config: CLIPVisionConfig, grid: tuple[int, int]) -> None:
        super().__init__(config)
        self.embeddings = ClipEmbeddings(config, grid)
        self.pre_layrnorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.transformer = CLIPEncoder(config)
        self.post_init()

    def forward(self, patches: Tensor) -> Tensor:
        """patches: [views, channels, rows, columns]; returns [views, rows * columns, channels]."""
        hidden = self.pre_layrnorm(self.embeddings(patches))
        return self.transformer(inputs_embeds=hidden).last_hidden_state[:, 1:]


class Projector(nn.Module):
    """One linear layer from vision width to text width."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.layers = nn.Linear(input_size, output_size)

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


class DeepseekOcrPreTrainedModel(PreTrainedModel):
    """What transformers must know to load and save the family."""

    config_class = DeepseekOcrConfig
    base_model_prefix = "model"
    input_modalities = ("image", "text")
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _no_split_modules = [
        "SamLayer",
        "CLIPEncoderLayer",
        "DeepseekOcr2TextDecoderLayer",
    ]
    _keys_to_ignore_on_load_unexpected = [r"embeddings\.position_ids$"]

    @classmethod
    def _can_set_experts_implementation(cls) -> bool:
        # transformers guesses from this module's source, and the experts live in another module.
        return True


class DeepseekOcrModel(DeepseekOcrPreTrainedModel):
    """The towers, the projector and the text model."""

    def __init__(self, config: DeepseekOcrConfig) -> None:
        super().__init__(config)
        sam, clip, text = config.sam_config, config.clip_config, config.text_config
        self.sam_model = DeepseekOcr2SamVisionEncoder(sam)
        self.sam_model.patch_embed = SamPatches(sam)
        self.sam_model.layers = nn.ModuleList(
            SamLayer(sam, layer.window_size) for layer in self.sam_model.layers
        )
        side = clip.image_size // clip.patch_size
        clip_grid = (side, side)
        if config.view_size:
            rows, columns = (size // sam.patch_size for size in config.view_size)
            self._make_oblong(rows, columns)
            clip_grid = (_quarter(rows), _quarter(columns))
        self.vision_model = ClipTower(clip, clip_grid)
        self.projector = Projector(clip.hidden_size + sam.downsample_channels[-1], text.hidden_size)
        self.image_newline = nn.Parameter(torch.zeros(text.hidden_size))
        self.view_seperator = nn.Parameter(torch.zeros(text.hidden_size))  # the authors' spelling
        self.language_model = DeepseekOcr2TextModel(text)
        self.post_init()

    def _make_oblong(self, rows: int, columns: int) -> None:
        """Give SAM position tables of rows x columns patches instead of a square."""
        width = self.config.sam_config.hidden_size
        self.sam_model.pos_embed = nn.Parameter(torch.zeros(1, rows, columns, width))
        for layer in self.sam_model.layers:
            if layer.window_size == 0:
                head = layer.attn.rel_pos_h.shape[1]
                layer.attn.rel_pos_h = nn.Parameter(torch.zeros(2 * rows - 1, head))
                layer.attn.rel_pos_w = nn.Parameter(torch.zeros(2 * columns - 1, head))

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.embed_tokens = value

    def encode_views(self, pixels: Tensor) -> Tensor:
        """Return the projected features of equally sized views.

        pixels: [views, 3, height, width]; returns [views, rows, columns, text width] with one
        feature for each 4 x 4 patches.
        """
        patches = self.sam_model(pixels).last_hidden_state
        rows, columns = patches.shape[-2:]
        clip = self.vision_model(patches)
        both = torch.cat([clip, patches.flatten(2).transpose(1, 2)], dim=-1)
        return self.projector(both).unflatten(1, (rows, columns))

    def arrange(self, global_view: Tensor | None, crops: Tensor | None, grid: tuple) -> Tensor:
        """Return one picture's features in reading order, [image tokens, text width].

        global_view: [rows, columns, width] or None; crops: [views, rows, columns, width] or None;
        grid: (columns, rows) of the crops.
        """
        parts = []
        if crops is not None:
            columns, rows = grid
            _, height, width, channels = crops.shape
            sheet = crops.view(rows, columns, height, width, channels).permute(0, 2, 1, 3, 4)
            sheet = sheet.reshape(rows * height, columns * width, channels)
            parts.append(self._with_newlines(sheet))
        if global_view is not None:
            parts.append(self._with_newlines(global_view))
        separator = self.view_seperator.unsqueeze(0).to(parts[0].dtype)
        return torch.cat([*parts, separator])

    def _with_newlines(self, sheet: Tensor) -> Tensor:
        newline = self.image_newline.to(sheet.dtype).expand(sheet.shape[0], 1, -1)
        return torch.cat([sheet, newline], dim=1).flatten(0, 1)

    def encode_pictures(self, pictures: Sequence[PictureViews], chunk: int = 0) -> list[Tensor]:
        """Return each picture's features in reading order: a list of [image tokens, text width].

        Views of one size are encoded together, at most `chunk` at a time (0: all).
        """
        views: dict[tuple, list[Tensor]] = defaultdict(list)
        places: list[tuple] = []
        for picture in pictures:
            place = {}
            if picture.crops is not None:
                key = tuple(picture.crops.shape[1:])
                start = sum(len(block) for block in views[key])
                place["crops"] = (key, start, start + len(picture.crops))
                views[key].append(picture.crops)
            if picture.global_view is not None:
                key = tuple(picture.global_view.shape)
                start = sum(len(block) for block in views[key])
                place["global_view"] = (key, start, start + 1)
                views[key].append(picture.global_view.unsqueeze(0))
            places.append(place)
        encoded = {key: self._encode_in_chunks(v, chunk) for key, v in views.items()}
        features = []
        for picture, place in zip(pictures, places, strict=True):
            found = {name: encoded[key][a:b] for name, (key, a, b) in place.items()}
            whole = found["global_view"][0] if "global_view" in found else None
            features.append(self.arrange(whole, found.get("crops"), picture.grid))
        return features

    def _encode_in_chunks(self, blocks: Sequence[Tensor], chunk: int) -> Tensor:
        weight = self.sam_model.patch_embed.projection.weight
        moved = (block.to(weight.device, non_blocking=block.is_pinned()) for block in blocks)
        pixels = torch.cat([as_numbers(block, weight.dtype) for block in moved])
        return torch.cat([self.encode_views(part) for part in pixels.split(chunk or len(pixels))])

    def embed(self, input_ids: Tensor, picture_features: Tensor | None) -> Tensor:
        """Return token embeddings with the pictures' features in place of the image tokens.

        input_ids: int64 [batch, tokens]; picture_features: [all image tokens, width], batch order.
        """
        embeddings = self.language_model.embed_tokens(input_ids)
        if picture_features is None:
            return embeddings
        is_image = input_ids == self.config.image_token_id
        expected = int(is_image.sum())
        if expected != picture_features.shape[0]:
            raise ValueError(f"{expected} image tokens, {picture_features.shape[0]} features")
        picture_features = picture_features.to(embeddings.device, embeddings.dtype)
        return embeddings.masked_scatter(is_image.unsqueeze(-1), picture_features)


class DeepseekOcrForConditionalGeneration(DeepseekOcrPreTrainedModel, GenerationMixin):
    """DeepSeek-OCR v1 with its language-modelling head."""

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}

    def __init__(self, config: DeepseekOcrConfig) -> None:
        super().__init__(config)
        self.model = DeepseekOcrModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.language_model.embed_tokens

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: Tensor | None = None,
        pictures: Sequence[PictureViews] | None = None,
        picture_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values=None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs,
    ) -> CausalLMOutputWithPast:
        """Return logits, and the mean next-token loss when `labels` are given.

        Pictures come either as views or, computed before, as `picture_features` [all image
        tokens, width]. Padded rows need `attention_mask`; positions then count real tokens only.
        """
        if inputs_embeds is None:
            if picture_features is None and pictures is not None:
                picture_features = torch.cat(self.model.encode_pictures(pictures))
            inputs_embeds = self.model.embed(input_ids, picture_features)
        if position_ids is None and attention_mask is not None and attention_mask.dim() == 2:
            counted = (attention_mask.cumsum(-1) - 1).clamp(min=0)
            position_ids = counted[:, -inputs_embeds.shape[1] :]
        outputs = self.model.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, kept])
        loss = None
        if labels is not None:
            shifted = labels[:, 1:].reshape(-1)
            loss = F.cross_entropy(
                logits[:, :-1].flatten(0, 1).float(), shifted, ignore_index=IGNORE_INDEX
            )
        return CausalLMOutputWithPast(
            loss=loss, logits=logits, past_key_values=outputs.past_key_values
        )

    def prepare_inputs_for_generation(self, input_ids: Tensor, is_first_iteration=False, **kwargs):
        """Hand the pictures to the first step only: later steps find them in the cache."""
        inputs = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if not is_first_iteration and kwargs.get("use_cache", True):
            inputs["pictures"] = inputs["picture_features"] = None
        return inputs


def _quarter(patches: int) -> int:
    """Return how many features two stride-2 convolutions leave of so many patches."""
    return math.ceil(math.ceil(patches / 2) / 2)


# Original key -> ours. Every renaming is anchored: a loose `layers\.` would also match LoRA keys,
# and peft would then drop every adapter weight on reload with no more than a warning.
_SAM = r"^model\.sam_model\."
register_checkpoint_conversion_mapping(
    MODEL_TYPE,
    [
        WeightRenaming(_SAM + r"blocks\.(\d+)\.norm1\.", r"model.sam_model.layers.\1.layer_norm1."),
        WeightRenaming(_SAM + r"blocks\.(\d+)\.norm2\.", r"model.sam_model.layers.\1.layer_norm2."),
        WeightRenaming(_SAM + r"blocks\.(\d+)\.attn\.", r"model.sam_model.layers.\1.attn."),
        WeightRenaming(_SAM + r"blocks\.(\d+)\.mlp\.", r"model.sam_model.layers.\1.mlp."),
        WeightRenaming(_SAM + r"patch_embed\.proj\.", "model.sam_model.patch_embed.projection."),
        WeightRenaming(_SAM + r"neck\.0\.", "model.sam_model.neck.conv1."),
        WeightRenaming(_SAM + r"neck\.1\.", "model.sam_model.neck.layer_norm1."),
        WeightRenaming(_SAM + r"neck\.2\.", "model.sam_model.neck.conv2."),
        WeightRenaming(_SAM + r"neck\.3\.", "model.sam_model.neck.layer_norm2."),
        WeightRenaming(_SAM + r"net_2\.", "model.sam_model.proj.conv1."),
        WeightRenaming(_SAM + r"net_3\.", "model.sam_model.proj.conv2."),
        WeightRenaming(r"^model\.embed_tokens\.", "model.language_model.embed_tokens."),
        WeightRenaming(r"^model\.layers\.", "model.language_model.layers."),
        WeightRenaming(r"^model\.norm\.", "model.language_model.norm."),
        WeightConverter(
            source_patterns=["mlp.experts.*.gate_proj.weight", "mlp.experts.*.up_proj.weight"],
            target_patterns="mlp.experts.gate_up_proj",
            operations=[MergeModulelist(dim=0), Concatenate(dim=1)],
        ),
        WeightConverter(
            source_patterns="mlp.experts.*.down_proj.weight",
            target_patterns="mlp.experts.down_proj",
            operations=[MergeModulelist(dim=0)],
        ),
    ],
)
# Registered for CLIP's own class, so that transformers applies it there only: unscoped, saving
# would merge the text model's attention as well.
register_checkpoint_conversion_mapping(
    "ClipTower",
    [
        WeightConverter(
            source_patterns=f"self_attn.qkv_proj.{part}",
            target_patterns=[f"self_attn.{name}_proj.{part}" for name in "qkv"],
            operations=[Chunk(dim=0)],
        )
        for part in ("weight", "bias")
    ],
)
