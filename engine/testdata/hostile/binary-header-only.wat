;; attack: A header and nothing else.
;; want: refused

(module binary "\00asm\01\00\00\00")
