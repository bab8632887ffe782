package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;

/// Tensors of a Hugging Face checkpoint of RecurrentGemma.
record RecurrentGemmaNames() implements TensorNames {
    /// Whether `checkpoint` spells its tensors so.
    static boolean fit(Checkpoint checkpoint) {
        RecurrentGemmaNames names = new RecurrentGemmaNames();
        return checkpoint.tensors().containsKey(names.finalNorm())
                || checkpoint.tensors().containsKey(names.layer(0, LayerTensor.PRE_ATTENTION_NORM, false));
    }

    @Override
    public String embedding() {
        return "model.embed_tokens.weight";
    }

    @Override
    public String finalNorm() {
        return "model.final_norm.weight";
    }

    @Override
    public String head() {
        return "lm_head.weight";
    }

    @Override
    public String layer(int layer, LayerTensor tensor, boolean postNorms) {
        String part = switch (tensor) {
            case PRE_ATTENTION_NORM -> "temporal_pre_norm.weight";
            case QUERY -> "temporal_block.q_proj.weight";
            case KEY -> "temporal_block.k_proj.weight";
            case VALUE -> "temporal_block.v_proj.weight";
            case ATTENTION_OUTPUT -> "temporal_block.o_proj.weight";
            case ATTENTION_OUTPUT_BIAS -> "temporal_block.o_proj.bias";
            case RECURRENT_X -> "temporal_block.linear_x.weight";
            case RECURRENT_X_BIAS -> "temporal_block.linear_x.bias";
            case RECURRENT_Y -> "temporal_block.linear_y.weight";
            case RECURRENT_Y_BIAS -> "temporal_block.linear_y.bias";
            case CONVOLUTION -> "temporal_block.conv_1d.weight";
            case CONVOLUTION_BIAS -> "temporal_block.conv_1d.bias";
            case INPUT_GATE -> "temporal_block.rg_lru.input_gate_weight";
            case INPUT_GATE_BIAS -> "temporal_block.rg_lru.input_gate_bias";
            case RECURRENCE_GATE -> "temporal_block.rg_lru.recurrent_gate_weight";
            case RECURRENCE_GATE_BIAS -> "temporal_block.rg_lru.recurrent_gate_bias";
            case RECURRENCE_PARAMETER -> "temporal_block.rg_lru.recurrent_param";
            case RECURRENT_OUTPUT -> "temporal_block.linear_out.weight";
            case RECURRENT_OUTPUT_BIAS -> "temporal_block.linear_out.bias";
            case PRE_FEED_FORWARD_NORM -> "channel_pre_norm.weight";
            case GATE -> "mlp_block.gate_proj.weight";
            case GATE_BIAS -> "mlp_block.gate_proj.bias";
            case UP -> "mlp_block.up_proj.weight";
            case UP_BIAS -> "mlp_block.up_proj.bias";
            case DOWN -> "mlp_block.down_proj.weight";
            case DOWN_BIAS -> "mlp_block.down_proj.bias";
            default ->
                throw new IllegalArgumentException("tensor: got %s, which these files do not have".formatted(tensor));
        };
        return "model.layers.%d.%s".formatted(layer, part);
    }

    @Override
    public boolean belongsElsewhere(String name) {
        return name.endsWith(HuggingFaceNames.ROPE_BUFFER);
    }
}
