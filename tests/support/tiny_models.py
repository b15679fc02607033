"""Model folders with random weights and the real geometry, made in a second: LTX-2 (32x in space, 8x in time, sound of
the right length) and Wan 2.2 (two experts, or TI2V-5B). They are real pipelines of diffusers, saved as a hub would hold
them; only the weights mean nothing, so what they make is noise.

    python -m support.tiny_models ltx2 FOLDER

Needs torch; importing this module does not.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

SEED: Final = 0  # of the weights
KINDS: Final = ("ltx2", "wan-a14b", "wan-5b")
WORDS: Final = ("the", "camera", "a", "man", "says", "wind", "waves", "on", "lake", "pans", "right", "good", "morning")


def make_tiny_model(kind: str, folder: Path) -> Path:
    """Build one of KINDS and save it in `folder`. Returns the folder."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        pipeline = {"ltx2": _ltx2, "wan-a14b": _wan_a14b, "wan-5b": _wan_5b}[kind]()
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def make_tiny_gguf(transformer: Path, file: Path) -> Path:
    """The weights of a transformer's folder as a GGUF file: matrices in 8 bits (Q8_0), the rest as it is."""
    import gguf
    from safetensors.numpy import load_file

    (weights,) = transformer.glob("*.safetensors")
    writer = gguf.GGUFWriter(file, "vivant-tiny")
    for name, tensor in load_file(weights).items():
        if tensor.ndim == 2 and tensor.shape[1] % 32 == 0 and "scale_shift" not in name:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _word_tokenizer(special: tuple[str, ...]) -> Any:
    """A tokenizer with one token for each of a few words; others are unknown."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    vocabulary = {word: number for number, word in enumerate((*special, *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def _ltx2() -> Any:
    from diffusers import (
        AutoencoderKLLTX2Audio,
        AutoencoderKLLTX2Video,
        FlowMatchEulerDiscreteScheduler,
        LTX2ConditionPipeline,
        LTX2VideoTransformer3DModel,
    )
    from diffusers.pipelines.ltx2 import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3TextConfig,
        GemmaTokenizerFast,
        SiglipVisionConfig,
    )

    special = ("<pad>", "<eos>", "<bos>", "<unk>")
    tokenizer = GemmaTokenizerFast(
        tokenizer_object=_word_tokenizer(special),
        pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>", model_max_length=64,
    )  # fmt: skip
    text = Gemma3TextConfig(
        vocab_size=len(special) + len(WORDS),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=2048,
    )
    vision = SiglipVisionConfig(
        hidden_size=32, intermediate_size=37, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    text_encoder = Gemma3ForConditionalGeneration(
        Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
    )
    transformer = LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=32,
        rope_double_precision=False,
        rope_type="split",
    )
    connectors = LTX2TextConnectors(
        caption_channels=32,
        text_proj_in_factor=text.num_hidden_layers + 1,
        video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=8,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=8,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
    )
    vae = AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 4,
        spatio_temporal_scaling=(True,) * 4,
        decoder_spatio_temporal_scaling=(True,) * 3,
        decoder_inject_noise=(False,) * 4,
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(False,) * 3,
        upsample_factor=(1, 1, 1),
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1, 1, 1),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )
    vocoder = LTX2Vocoder(
        in_channels=audio_vae.config.output_channels * audio_vae.config.mel_bins,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[20, 8, 8],
        upsample_factors=[10, 4, 4],  # their product is the hop length: a second of latents is a second of sound
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        leaky_relu_negative_slope=0.1,
        output_sampling_rate=16000,
    )
    return LTX2ConditionPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        audio_vae=audio_vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        connectors=connectors,
        transformer=transformer,
        vocoder=vocoder,
    )


def _wan_text() -> tuple[Any, Any]:
    """Tokenizer and text encoder: UMT5, as Wan has it."""
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

    special = ("<pad>", "</s>", "<unk>")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_word_tokenizer(special),
        pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512,
    )  # fmt: skip
    config = UMT5Config(
        vocab_size=len(special) + len(WORDS), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4,
        pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    return tokenizer, UMT5EncoderModel(config)


def _wan_transformer(channels_in: int, channels_out: int) -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels_in,
        out_channels=channels_out,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=1024,
    )


def _wan_scheduler() -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def _wan_a14b() -> Any:
    from diffusers import AutoencoderKLWan, WanImageToVideoPipeline

    tokenizer, text_encoder = _wan_text()
    return WanImageToVideoPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        vae=AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        scheduler=_wan_scheduler(),
        transformer=_wan_transformer(36, 16),  # 16 of noise, 16 of the pictures, 4 of the mask
        transformer_2=_wan_transformer(36, 16),
        image_encoder=None,
        image_processor=None,
        boundary_ratio=0.9,
    )


def _wan_5b() -> Any:
    from diffusers import AutoencoderKLWan, WanImageToVideoPipeline

    tokenizer, text_encoder = _wan_text()
    vae = AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        temperal_downsample=[False, True, True],
    )
    return WanImageToVideoPipeline(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        vae=vae,
        scheduler=_wan_scheduler(),
        transformer=_wan_transformer(48, 48),
        transformer_2=None,
        image_encoder=None,
        image_processor=None,
        boundary_ratio=None,
        expand_timesteps=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    print(make_tiny_model(given.kind, given.folder))


if __name__ == "__main__":
    main()
