// Instantiation of axp_pe_factored_m3k32_fixed24; give the signals names of your own.
axp_pe_factored_m3k32_fixed24 u_axp_pe_factored_m3k32_fixed24 (
    .clk_i           (clk_i),           // in   1  clock, rising edge
    .rst_ni          (rst_ni),          // in   1  reset, active low
    .test_en_i       (test_en_i),       // in   1  test enable of the clock gates; low in operation
    .zero_skip_i     (zero_skip_i),     // in   1  activations of +-0 leave the sum untouched
    .acc_range_i     (acc_range_i),     // in   8  static: exponent field of the greatest power of two below the accumulator's limit
    .row_we_i        (row_we_i),        // in   1  write a row of the associative memory at the clock edge
    .row_addr_i      (row_addr_i),      // in   7  row to write, {column, mantissa bits}; past the last row nothing is written
    .row_product_i   (row_product_i),   // in  12  its product of significands: 2 or more, fraction
    .row_valid_i     (row_valid_i),     // in   1  whether it can match from now on
    .in_valid_i      (in_valid_i),      // in   1  an operand pair is offered
    .in_ready_o      (in_ready_o),      // out  1  a pair offered now is accepted; a register
    .in_first_i      (in_first_i),      // in   1  the pair starts a sum from +0
    .in_last_i       (in_last_i),       // in   1  the pair ends a sum
    .in_weight_i     (in_weight_i),     // in  32  weight, fp32
    .in_column_i     (in_column_i),     // in   4  column of the weight in the associative memory
    .in_activation_i (in_activation_i), // in  32  activation, fp32
    .out_ready_i     (out_ready_i),     // in   1  a result offered now is taken
    .out_valid_o     (out_valid_o),     // out  1  a result is offered
    .out_data_o      (out_data_o),      // out 32  sum, fp32; 0 after reset, held while out_valid_o is low
    .out_overflow_o  (out_overflow_o),  // out  1  with it: the sum, or a product of it, was out of range
    .out_invalid_o   (out_invalid_o)    // out  1  with it: a product was a NaN
);
