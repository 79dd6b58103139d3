"""How often nndoctor is right about the zoo's runs, and how the rules that others published fare on the same logs."""
