;; attack: A function whose runs of locals add up to more than 2^32.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00\03\02\01\00\0a\10\01\0e\02\ff\ff\ff\ff\0f\7f\ff\ff\ff\ff\0f\7e\0b")
