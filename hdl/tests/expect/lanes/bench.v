`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
    reg  [7:0] value_i;
    reg  [0:0] carry_i;
    reg  [1:0] select_i;
    wire [7:0] sum_o;
    wire [3:0] hits_o;
    wire [0:0] carry_o;
    reg [23:0] line [0:599];
    reg [12:0] expected;
    integer i;
    axp_lanes dut (.value_i(value_i), .carry_i(carry_i), .select_i(select_i), .sum_o(sum_o), .hits_o(hits_o), .carry_o(carry_o));
    initial begin
        $readmemh("vectors.mem", line);
        for (i = 0; i < 600; i = i + 1) begin
            {value_i, carry_i, select_i, expected} = line[i];
            #1;
            if ({sum_o, hits_o, carry_o} !== expected) begin
                $display("FAIL line %0d: %b instead of %b", i + 1, {sum_o, hits_o, carry_o}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display("PASS %0d", i);
    end
endmodule
