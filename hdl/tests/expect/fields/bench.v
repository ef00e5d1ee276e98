`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
    reg  [7:0] s_axis_data;
    reg  [0:0] s_axis_valid;
    wire [0:0] s_axis_ready;
    wire [2:0] kind_o;
    wire [7:0] word_o;
    reg [20:0] line [0:599];
    reg [11:0] expected;
    integer i;
    axp_fields dut (.s_axis_data(s_axis_data), .s_axis_valid(s_axis_valid), .s_axis_ready(s_axis_ready), .kind_o(kind_o), .word_o(word_o));
    initial begin
        $readmemh("vectors.mem", line);
        for (i = 0; i < 600; i = i + 1) begin
            {s_axis_data, s_axis_valid, expected} = line[i];
            #1;
            if ({s_axis_ready, kind_o, word_o} !== expected) begin
                $display("FAIL line %0d: %b instead of %b", i + 1, {s_axis_ready, kind_o, word_o}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display("PASS %0d", i);
    end
endmodule
