;; attack: The function section before the type section.
;; want: refused

(module binary "\00asm\01\00\00\00" "\03\02\01\00" "\01\04\01\60\00\00")
