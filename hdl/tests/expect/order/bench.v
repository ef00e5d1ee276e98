`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
    reg  [7:0] a_i;
    reg  [7:0] b_i;
    reg  [0:0] flag_i;
    wire [7:0] early_o;
    wire [7:0] late_o;
    wire [7:0] counted_o;
    wire [7:0] chosen_o;
    wire [7:0] parts_o;
    reg [56:0] line [0:599];
    reg [39:0] expected;
    integer i;
    axp_order dut (.a_i(a_i), .b_i(b_i), .flag_i(flag_i), .early_o(early_o), .late_o(late_o), .counted_o(counted_o), .chosen_o(chosen_o), .parts_o(parts_o));
    initial begin
        $readmemh("vectors.mem", line);
        for (i = 0; i < 600; i = i + 1) begin
            {a_i, b_i, flag_i, expected} = line[i];
            #1;
            if ({early_o, late_o, counted_o, chosen_o, parts_o} !== expected) begin
                $display("FAIL line %0d: %b instead of %b", i + 1, {early_o, late_o, counted_o, chosen_o, parts_o}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display("PASS %0d", i);
    end
endmodule
