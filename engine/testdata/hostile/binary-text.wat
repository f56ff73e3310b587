;; attack: Text instead of a module.
;; want: refused

(module binary "#!/bin/sh\nexit 0\n")
