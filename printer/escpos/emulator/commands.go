package emulator

import "bytes"

// maxCommand bounds a command whose length is said to be more.
const maxCommand = 1 << 20

// length is how many bytes the command has that b begins, as far as b tells: more than len(b) if that is not enough.
func length(b []byte) int {
	n := 1
	switch b[0] {
	case esc:
		n = escLength(b)
	case gs:
		n = gsLength(b)
	case fs:
		n = fsLength(b)
	case dle:
		n = dleLength(b)
	}
	return min(n, maxCommand)
}

func dleLength(b []byte) int {
	if len(b) < 2 {
		return 2
	}
	switch b[1] {
	case 4, 5:
		return 3
	case 0x14:
		if len(b) < 3 {
			return 3
		}
		switch b[2] {
		case 1, 2:
			return 5
		case 3:
			return 8
		case 7:
			return 4
		case 8:
			return 10
		}
		return 3
	}
	return 1
}

func escLength(b []byte) int {
	if len(b) < 2 {
		return 2
	}
	switch b[1] {
	case '!', '-', 'E', 'G', 'a', 't', 'M', 'R', 'd', 'J', '3', ' ', 'V', '{', 'r', 'e', 'K', 'U', '=', 'T', 'u', '%', '?':
		return 3
	case '$', '\\', 'B':
		return 4
	case 'c':
		return 4
	case 'p':
		return 5
	case 'W':
		return 10
	case 'D':
		if i := bytes.IndexByte(b[2:], 0); i >= 0 {
			return i + 3
		}
		if len(b) > 34 {
			return len(b)
		}
		return len(b) + 1
	case '*':
		if len(b) < 5 {
			return 5
		}
		k := 1
		if b[2] >= 32 {
			k = 3
		}
		return 5 + k*(int(b[3])|int(b[4])<<8)
	case '(':
		return parenthesis(b)
	}
	return 2
}

func parenthesis(b []byte) int {
	if len(b) < 5 {
		return 5
	}
	return 5 + (int(b[3]) | int(b[4])<<8)
}

func fsLength(b []byte) int {
	if len(b) < 2 {
		return 2
	}
	switch b[1] {
	case '!', '-', 'C', 'W':
		return 3
	case 'p', 'S':
		return 4
	case '(':
		return parenthesis(b)
	}
	return 2
}

func gsLength(b []byte) int {
	if len(b) < 2 {
		return 2
	}
	switch b[1] {
	case '!', 'B', 'b', 'H', 'h', 'w', 'f', 'a', 'r', 'I', '|', '/', 'T':
		return 3
	case 'L', 'W', 'P', '$', '\\':
		return 4
	case 'V':
		if len(b) < 3 {
			return 3
		}
		if b[2] == 65 || b[2] == 66 {
			return 4
		}
		return 3
	case '(':
		return parenthesis(b)
	case '8':
		if len(b) < 7 {
			return 7
		}
		return 7 + int(min(uint32(b[3])|uint32(b[4])<<8|uint32(b[5])<<16|uint32(b[6])<<24, maxCommand))
	case 'v':
		if len(b) < 8 {
			return 8
		}
		return 8 + (int(b[4])|int(b[5])<<8)*(int(b[6])|int(b[7])<<8)
	case 'k':
		return barLength(b)
	}
	return 2
}

func barLength(b []byte) int {
	switch {
	case len(b) < 3:
		return 3
	case b[2] > 6 && b[2] < 65 || b[2] > 79:
		return 3
	case b[2] >= 65 && len(b) < 4:
		return 4
	case b[2] >= 65:
		return 4 + int(b[3])
	}
	if i := bytes.IndexByte(b[3:], 0); i >= 0 {
		return i + 4
	}
	if len(b) > 258 {
		return len(b)
	}
	return len(b) + 1
}
