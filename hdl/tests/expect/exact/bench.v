`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
    reg  [7:0] a_i;
    reg  [7:0] b_i;
    reg  [2:0] k_i;
    reg  [0:0] flag_i;
    reg  [39:0] word_i;
    wire [0:0] precedence_o;
    wire [0:0] wraps_o;
    wire [7:0] half_o;
    wire [8:0] cast_o;
    wire [3:0] narrow_o;
    wire [0:0] not_o;
    wire [0:0] difference_o;
    wire [7:0] past_o;
    wire [7:0] window_o;
    wire [0:0] bit_o;
    wire [0:0] fixed_bit_o;
    wire [7:0] replaced_o;
    wire [7:0] replaced_two_o;
    wire [7:0] replaced_top_o;
    wire [0:0] any_o;
    wire [0:0] all_o;
    wire [0:0] parity_o;
    wire [7:0] increment_o;
    wire [7:0] shifted_o;
    wire [7:0] constant_o;
    wire [0:0] both_o;
    wire [7:0] mixed_o;
    wire [31:0] product_o;
    wire [3:0] comparisons_o;
    reg [198:0] line [0:599];
    reg [138:0] expected;
    integer i;
    axp_exact dut (.a_i(a_i), .b_i(b_i), .k_i(k_i), .flag_i(flag_i), .word_i(word_i), .precedence_o(precedence_o), .wraps_o(wraps_o), .half_o(half_o), .cast_o(cast_o), .narrow_o(narrow_o), .not_o(not_o), .difference_o(difference_o), .past_o(past_o), .window_o(window_o), .bit_o(bit_o), .fixed_bit_o(fixed_bit_o), .replaced_o(replaced_o), .replaced_two_o(replaced_two_o), .replaced_top_o(replaced_top_o), .any_o(any_o), .all_o(all_o), .parity_o(parity_o), .increment_o(increment_o), .shifted_o(shifted_o), .constant_o(constant_o), .both_o(both_o), .mixed_o(mixed_o), .product_o(product_o), .comparisons_o(comparisons_o));
    initial begin
        $readmemh("vectors.mem", line);
        for (i = 0; i < 600; i = i + 1) begin
            {a_i, b_i, k_i, flag_i, word_i, expected} = line[i];
            #1;
            if ({precedence_o, wraps_o, half_o, cast_o, narrow_o, not_o, difference_o, past_o, window_o, bit_o, fixed_bit_o, replaced_o, replaced_two_o, replaced_top_o, any_o, all_o, parity_o, increment_o, shifted_o, constant_o, both_o, mixed_o, product_o, comparisons_o} !== expected) begin
                $display("FAIL line %0d: %b instead of %b", i + 1, {precedence_o, wraps_o, half_o, cast_o, narrow_o, not_o, difference_o, past_o, window_o, bit_o, fixed_bit_o, replaced_o, replaced_two_o, replaced_top_o, any_o, all_o, parity_o, increment_o, shifted_o, constant_o, both_o, mixed_o, product_o, comparisons_o}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display("PASS %0d", i);
    end
endmodule
