;; attack: A section with an unknown id.
;; want: refused

(module binary "\00asm\01\00\00\00" "\0e\00")
