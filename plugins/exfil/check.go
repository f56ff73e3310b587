package main

import "strings"

// checks are the check digits of numbers that states give, by the names in
// identities.txt; each takes a number in the form that is given there, its
// letters in capitals.
var checks = map[string]func(string) bool{
	"ssn": func(s string) bool {
		return s[:3] != "000" && s[:3] != "666" && s[0] != '9' && s[3:5] != "00" && s[5:] != "0000" && s != "123456789"
	},
	"itin": func(s string) bool { return s[0] == '9' && s[3] >= '5' },
	"nhs":  func(s string) bool { return remainder(s[:9], 11, 10, 9, 8, 7, 6, 5, 4, 3, 2) == (11-digit(s, 9))%11 },
	"nino": func(s string) bool {
		return !strings.ContainsAny(s[:1], "DFIQUV") && !strings.ContainsAny(s[1:2], "DFIOQUV") && s[8] <= 'D' &&
			!strings.Contains("BG GB KN NK NT TN ZZ", s[:2])
	},
	"iso11": iso11,
	"nir": func(s string) bool {
		switch s[5:7] { // Corsica
		case "2A":
			s = s[:5] + "19" + s[7:]
		case "2B":
			s = s[:5] + "18" + s[7:]
		}
		return onlyDigits(s) && s[0] >= '1' && s[0] <= '8' && number97(s[:13])+int(s[13]-'0')*10+int(s[14]-'0') == 97
	},
	"dni": func(s string) bool {
		n := s[:8]
		if i := strings.IndexByte("XYZ", s[0]); i >= 0 {
			n = string([]byte{'0' + byte(i)}) + s[1:8]
		}
		return onlyDigits(n) && "TRWAGMYFPDXBNJZSQVHLCKE"[modulo(n, 23)] == s[8]
	},
	"fiscale": func(s string) bool {
		const odd = "BAKPLCQDREVOSFTGUHMINJWZYX"
		sum := 0
		for i := range 15 {
			v := strings.IndexByte(numerals, s[i])
			if v < 0 {
				v = int(s[i] - 'A')
			}
			if i%2 == 0 {
				v = strings.IndexByte(odd, 'A'+byte(v))
			}
			sum += v
		}
		return s[15] == 'A'+byte(sum%26)
	},
	"bsn":      func(s string) bool { return remainder(s, 11, 9, 8, 7, 6, 5, 4, 3, 2, -1) == 0 && !repeated(s) },
	"pesel":    func(s string) bool { return remainder(s, 10, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1) == 0 && !repeated(s) },
	"cpf":      func(s string) bool { return eleven(s, 9) && eleven(s, 10) && !repeated(s) },
	"cnpj":     func(s string) bool { return cnpj(s, 12) && cnpj(s, 13) && !repeated(s) },
	"verhoeff": func(s string) bool { return s[0] > '1' && verhoeff(s) && !repeated(s) },
	"pan":      func(s string) bool { return strings.IndexByte("PCHFATBLJG", s[3]) >= 0 },
	"luhn": func(s string) bool {
		if len(s) == 12 { // the century is not counted
			s = s[2:]
		}
		return luhnText(s)
	},
	"tfn": func(s string) bool { return remainder(s, 11, 1, 4, 3, 7, 5, 8, 6, 9, 10) == 0 && !repeated(s) },
	"medicare": func(s string) bool {
		return s[0] >= '2' && s[0] <= '6' && remainder(s[:8], 10, 1, 3, 7, 9, 1, 3, 7, 9) == digit(s, 8)
	},
	"resident": func(s string) bool {
		return month(s[10:12]) && "10X98765432"[remainder(s[:17], 11, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)] == s[17]
	},
	"rrn": func(s string) bool {
		return month(s[2:4]) && (11-remainder(s[:12], 11, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))%10 == digit(s, 12)
	},
	"mynumber": func(s string) bool {
		rest := remainder(s[:11], 11, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
		return rest < 2 && s[11] == '0' || rest >= 2 && 11-rest == digit(s, 11)
	},
	"twid": func(s string) bool {
		n := strings.IndexByte("ABCDEFGHJKLMNPQRSTUVXYWZIO", s[0]) + 10
		return (n/10+n%10*9+remainder(s[1:], 10, 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
	},
	"hetu": func(s string) bool {
		n := s[:6] + s[7:10]
		return strings.IndexByte("+-ABCDEFUVWXY", s[6]) >= 0 && onlyDigits(n) && "0123456789ABCDEFHJKLMNPRSTUVWXY"[modulo(n, 31)] == s[10]
	},
	"fodsel": func(s string) bool {
		return remainder(s[:10], 11, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1) == 0 && remainder(s, 11, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1) == 0 && !repeated(s)
	},
	"cpr": func(s string) bool { return month(s[2:4]) && s[:2] > "00" && s[:2] < "32" },
	"rijk": func(s string) bool {
		key := modulo(s[9:], 100)
		return 97-modulo(s[:9], 97) == key || 97-modulo("2"+s[:9], 97) == key
	},
	"ean": func(s string) bool {
		return s[:3] == "756" && remainder(s, 10, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1) == 0
	},
	"svnr": func(s string) bool {
		return s[0] != '0' && remainder(s[:3]+s[4:], 11, 3, 7, 9, 5, 8, 4, 2, 1, 6) == digit(s, 3)
	},
	"pps": func(s string) bool {
		n := remainder(s[:7], 1<<16, 8, 7, 6, 5, 4, 3, 2)
		if len(s) == 9 && s[8] != 'W' {
			n += int(s[8]-'A'+1) * 9
		}
		return "WABCDEFGHIJKLMNOPQRSTUV"[n%23] == s[7]
	},
	"ptnif": func(s string) bool { return eleven(s, 8) },
	"curp": func(s string) bool {
		const order = "0123456789ABCDEFGHIJKLMN?OPQRSTUVWXYZ"
		sum := 0
		for i := range 17 {
			sum += strings.IndexByte(order, s[i]) * (18 - i)
		}
		return (10-sum%10)%10 == digit(s, 17)
	},
	"rut": func(s string) bool {
		sum, weight := 0, 2
		for i := len(s) - 2; i >= 0; i-- {
			sum += digit(s, i) * weight
			if weight++; weight > 7 {
				weight = 2
			}
		}
		return onlyDigits(s[:len(s)-1]) && "0123456789K0"[11-sum%11] == s[len(s)-1]
	},
	"cuit": func(s string) bool {
		return (11-remainder(s[:10], 11, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2))%11 == digit(s, 10)
	},
	"nric": func(s string) bool {
		n := remainder(s[1:8], 1<<16, 2, 7, 6, 5, 4, 3, 2)
		switch s[0] {
		case 'S':
			return "JZIHGFEDCBA"[n%11] == s[8]
		case 'T':
			return "JZIHGFEDCBA"[(n+4)%11] == s[8]
		case 'F':
			return "XWUTRQPNMLK"[n%11] == s[8]
		case 'G':
			return "XWUTRQPNMLK"[(n+4)%11] == s[8]
		}
		return false
	},
	"hkid": func(s string) bool {
		n := 36*9 + int(s[0]-'A'+10)*8 + remainder(s[1:7], 1<<16, 7, 6, 5, 4, 3, 2)
		return "0123456789A"[(11-n%11)%11] == s[7]
	},
	"kimlik": func(s string) bool {
		odd := digit(s, 0) + digit(s, 2) + digit(s, 4) + digit(s, 6) + digit(s, 8)
		even := digit(s, 1) + digit(s, 3) + digit(s, 5) + digit(s, 7)
		return s[0] != '0' && (odd*7-even+100)%10 == digit(s, 9) && (odd+even+digit(s, 9))%10 == digit(s, 10)
	},
	"zaid": func(s string) bool { return month(s[2:4]) && luhnText(s) },
	"thai": func(s string) bool {
		return (11-remainder(s[:12], 11, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2))%10 == digit(s, 12)
	},
	"egn":   func(s string) bool { return remainder(s[:9], 11, 2, 4, 8, 5, 10, 9, 7, 3, 6)%10 == digit(s, 9) },
	"rodne": func(s string) bool { return modulo(s, 11) == 0 && !repeated(s) },
	"cnp": func(s string) bool {
		rest := remainder(s[:12], 11, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)
		return month(s[3:5]) && (rest == digit(s, 12) || rest == 10 && s[12] == '1')
	},
	"baltic": func(s string) bool {
		rest := remainder(s[:10], 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1)
		if rest == 10 {
			rest = remainder(s[:10], 11, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 10
		}
		return month(s[3:5]) && rest == digit(s, 10)
	},
	"ird": func(s string) bool {
		if len(s) == 8 {
			s = "0" + s
		}
		for _, w := range [][]int{{3, 2, 7, 6, 5, 4, 3, 2}, {7, 4, 3, 2, 5, 2, 7, 6}} {
			if rest := remainder(s[:8], 11, w...); (11-rest)%11 == digit(s, 8) {
				return true
			}
		}
		return false
	},
}

func digit(s string, i int) int { return int(s[i] - '0') }

// remainder is the weighted sum of the digits of s modulo m.
func remainder(s string, m int, weights ...int) int {
	sum := 0
	for i := range len(s) {
		sum += digit(s, i) * weights[i]
	}
	return (sum%m + m) % m
}

// modulo is the number that s writes, modulo m.
func modulo(s string, m int) (rest int) {
	for i := range len(s) {
		rest = (rest*10 + digit(s, i)) % m
	}
	return rest
}

func number97(s string) int { return modulo(s, 97) }

func onlyDigits(s string) bool { return run(s, 0, digits) == len(s) }

func repeated(s string) bool { return strings.Count(s, s[:1]) == len(s) }

func month(s string) bool { return s > "00" && s < "13" }

func luhnText(s string) bool {
	var d [20]byte
	for i := range len(s) {
		d[i] = s[i] - '0'
	}
	return luhn(d[:len(s)])
}

// eleven checks digit i against those before it, weighted by their distance.
func eleven(s string, i int) bool {
	sum := 0
	for j := range i {
		sum += digit(s, j) * (i + 1 - j)
	}
	return sum*10%11%10 == digit(s, i)
}

// cnpj is eleven with weights that begin anew after nine.
func cnpj(s string, i int) bool {
	sum := 0
	for j := range i {
		sum += digit(s, j) * (2 + (i-1-j)%8)
	}
	return sum*10%11%10 == digit(s, i)
}

// iso11 is ISO 7064 modulo 11,10.
func iso11(s string) bool {
	rest := 10
	for i := range len(s) - 1 {
		if rest = (rest + digit(s, i)) % 10; rest == 0 {
			rest = 10
		}
		rest = rest * 2 % 11
	}
	return (11-rest)%10 == digit(s, len(s)-1) && s[0] != '0'
}

// verhoeff is the check of the dihedral group of ten elements.
func verhoeff(s string) bool {
	times := [8]string{"0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"}
	check := 0
	for i := range len(s) {
		check = dihedral(check, int(times[i%8][digit(s, len(s)-1-i)]-'0'))
	}
	return check == 0
}

func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return (a+b)%5 + 5
	case b < 5:
		return (a-b)%5 + 5
	}
	return (a - b + 5) % 5
}
