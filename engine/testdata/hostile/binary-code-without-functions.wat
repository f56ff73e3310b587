;; attack: Code for functions that are not declared.
;; want: refused

(module binary "\00asm\01\00\00\00" "\0a\04\01\02\00\0b")
