package main

// followers are the letters that often follow each letter of the alphabet in
// words, of English and of names in programs. Together they are two in five of
// all pairs of letters, and nine in ten of those that words are made of.
var followers = [26]string{
	"bcdgilmnprstuvxy", "aeiloruy", "acehikloruty", "adeioruy", "acdefglmnoprstvwxy", "aefiloru",
	"aehilnoru", "aeiotruy", "acdefglmnoprstvz", "aeou", "aeinsy", "adefikloptuvy",
	"abeimopsuy", "acdefgiknostuvy", "bcdfgklmnoprstuvwxy", "aehiloprstuy", "u", "acdegiklmnorstuvy",
	"acehiklmopqstuwy", "aehiloprstuwy", "abcdegilmnprstz", "aeio", "aehinors", "aceipt",
	"aemnoprst", "aeioz",
}

var pairs = func() (t [26]uint32) {
	for i, next := range followers {
		for _, c := range []byte(next) {
			t[i] |= 1 << (c - 'a')
		}
	}
	return t
}()

// wordy reports that the letters of a value follow one another as in words: of
// five pairs in a row at least four are common. Random letters pass seldom.
func wordy(value string) bool {
	all, common := 0, 0
	for i := 1; i < len(value); i++ {
		a, b := value[i-1]|0x20, value[i]|0x20
		if a < 'a' || a > 'z' || b < 'a' || b > 'z' {
			continue
		}
		all++
		if pairs[a-'a']>>(b-'a')&1 != 0 {
			common++
		}
	}
	return all > 2 && common*4 >= all*3
}
