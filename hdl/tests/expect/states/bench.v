`timescale 1ns/1ns
module bench;
    reg clk_i = 0;
    reg  [0:0] rst_ni;
    reg  [0:0] start_i;
    reg  [3:0] code_i;
    wire [0:0] busy_o;
    wire [3:0] decoded_o;
    wire [3:0] rank_o;
    reg [14:0] line [0:599];
    reg [8:0] expected;
    integer i;
    axp_states dut (.clk_i(clk_i), .rst_ni(rst_ni), .start_i(start_i), .code_i(code_i), .busy_o(busy_o), .decoded_o(decoded_o), .rank_o(rank_o));
    initial begin
        $readmemh("vectors.mem", line);
        for (i = 0; i < 600; i = i + 1) begin
            {rst_ni, start_i, code_i, expected} = line[i];
            #1;
            if ({busy_o, decoded_o, rank_o} !== expected) begin
                $display("FAIL line %0d: %b instead of %b", i + 1, {busy_o, decoded_o, rank_o}, expected);
                $finish;
            end
            clk_i = 1;
            #1;
            clk_i = 0;
        end
        $display("PASS %0d", i);
    end
endmodule
