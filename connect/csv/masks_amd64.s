#include "textflag.h"

// func classifyAVX2(data *byte, blocks int, sep, quote byte, sepMask, nlMask, quoteMask *uint64, sum *summary)
TEXT ·classifyAVX2(SB), NOSPLIT, $0-56
	MOVQ data+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ sepMask+24(FP), DI
	MOVQ nlMask+32(FP), R8
	MOVQ quoteMask+40(FP), R9

	// Y0 separator, Y1 newline, Y2 quote in every byte
	MOVBLZX sep+16(FP), AX
	VMOVD AX, X0
	VPBROADCASTB X0, Y0
	MOVL $10, AX
	VMOVD AX, X1
	VPBROADCASTB X1, Y1
	MOVBLZX quote+17(FP), AX
	VMOVD AX, X2
	VPBROADCASTB X2, Y2

	VPXOR Y3, Y3, Y3 // all bytes, ored
	XORQ R10, R10    // all quote masks, ored
	XORQ BX, BX      // block

loop:
	VMOVDQU (SI), Y4
	VMOVDQU 32(SI), Y5
	VPOR Y4, Y3, Y3
	VPOR Y5, Y3, Y3

	VPCMPEQB Y0, Y4, Y6
	VPCMPEQB Y0, Y5, Y7
	VPMOVMSKB Y6, AX
	VPMOVMSKB Y7, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (DI)(BX*8)

	VPCMPEQB Y1, Y4, Y6
	VPCMPEQB Y1, Y5, Y7
	VPMOVMSKB Y6, AX
	VPMOVMSKB Y7, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (R8)(BX*8)

	VPCMPEQB Y2, Y4, Y6
	VPCMPEQB Y2, Y5, Y7
	VPMOVMSKB Y6, AX
	VPMOVMSKB Y7, DX
	SHLQ $32, DX
	ORQ DX, AX
	MOVQ AX, (R9)(BX*8)
	ORQ AX, R10

	ADDQ $64, SI
	INCQ BX
	CMPQ BX, CX
	JLT loop

	MOVQ sum+48(FP), DI
	VPMOVMSKB Y3, AX
	MOVQ AX, (DI)
	MOVQ R10, 8(DI)
	VZEROUPPER
	RET
