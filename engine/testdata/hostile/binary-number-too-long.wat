;; attack: A length written in more bytes than a 32-bit number may have.
;; want: refused

(module binary "\00asm\01\00\00\00" "\01\80\80\80\80\80\00")
