# What the instances of the profile `libvirt` run: a boot sector for QEMU's BIOS.
#
# It needs no disk of more than two sectors, no memory to speak of and next to no processor time.
# About once a second it writes to its disk, so that anyone can see from outside whether it still
# does. Sector 1 (bytes 512 to 527 of the disk, little endian):
#   0  "LABGUEST"
#   8  how often it has booted from this disk
#   12 how often it has written since this disk was made

	.code16
	.intel_syntax noprefix
	.globl	_start
	.equ	SECTOR, 0x7e00
	.equ	COM1, 0x3f8

_start:
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	sp, 0x7c00
	cld
	sti
	mov	[drive], dl
	mov	ah, 0x42		# extended read
	call	disk
	mov	si, offset magic
	mov	di, SECTOR
	mov	cx, 8
	rep	movsb
	inc	dword ptr [SECTOR + 8]
	mov	si, offset greeting
	call	print

tick:
	inc	dword ptr [SECTOR + 12]
	mov	ax, 0x4300		# extended write
	call	disk
	jnc	sleep
	mov	si, offset failure
	call	print
sleep:
	mov	cx, 18			# timer interrupts, 18.2 a second
1:	hlt
	loop	1b
	jmp	tick

disk:
	mov	si, offset packet
	mov	dl, [drive]
	int	0x13
	ret

print:
	lodsb
	test	al, al
	jz	3f
	mov	dx, COM1
	out	dx, al
	jmp	print
3:	ret

drive:		.byte	0
magic:		.ascii	"LABGUEST"
greeting:	.asciz	"lab guest: running\r\n"
failure:	.asciz	"lab guest: cannot write\r\n"
		.balign	4
packet:		.byte	16, 0
		.word	1			# sectors
		.word	SECTOR, 0		# to or from
		.quad	1			# first sector

	# Nova and Glance refuse a boot sector that names no partition.
	.org	_start + 446
	.byte	0x80, 0, 0, 0		# bootable
	.byte	0x83, 0, 0, 0		# Linux
	.long	8, 8			# first sector, sectors

	.org	_start + 510
	.byte	0x55, 0xaa
