// axp_pe_pair_r16_bf16: all modules in compile order. Names are relative to this file:
// verilator -F <this file>, or iverilog -c <this file> in this folder.
axp_clock_gate.v
axp_clock_branch.v
axp_row_storage_w32_w16.v
axp_reg_arst_w1.v
axp_am_row_arst_w16.v
axp_pair_am_arst_bf16_r16.v
axp_gated_reg_w32.v
axp_gated_reg_w16.v
axp_reg_arst_w4.v
axp_leading_zeros_w8.v
axp_full_adders_w3.v
axp_full_adders_w7.v
axp_full_adders_w5.v
axp_full_adders_w9.v
axp_full_adders_w11.v
axp_dadda_w8.v
axp_fp_mul_bf16_rne_noflags.v
axp_gated_reg_arst_w16.v
axp_leading_zeros_w12.v
axp_fp_add_bf16_rne_noflags.v
axp_output_buffer_arst_w16.v
axp_pe_pair_r16_bf16.v
