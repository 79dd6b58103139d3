"""Tables in text: every quirk that strangers' logs have shown, and those that spreadsheets add."""

from __future__ import annotations

import math

import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog, UsageError


@pytest.fixture
def log(tmp_path):
    """Writes a log and gives its path."""

    def write(content: str | bytes, name: str = "run.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def only(path, **how):
    """The one run in a log."""
    (run,) = nndoctor.read(path, **how)
    return run


def values(run, name):
    """The values of a series."""
    return run.series[name].values.tolist()


TABLE = "epoch,loss,val_loss\n1,3,3.5\n2,2,2.5\n3,1,1.5\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", ", ", "  "])
def test_any_delimiter(log, delimiter):
    """Commas, semicolons, tabs, bars and blanks all cut a table."""
    run = only(log(TABLE.replace(",", delimiter)))
    assert values(run, "train/loss") == [3, 2, 1]
    assert values(run, "validation/loss") == [3.5, 2.5, 1.5]
    assert run.series["train/loss"].steps.tolist() == [1, 2, 3]


def test_markdown_table(log):
    """A table drawn with bars and rulers is a table."""
    run = only(log("| epoch | loss |\n|------:|-----:|\n| 1 | 3 |\n| 2 | 2 |\n", "run.md"))
    assert values(run, "train/loss") == [3, 2]
    assert run.series["train/loss"].lines.tolist() == [3, 4]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r\r\n", "\r"])
def test_line_ends(log, ending):
    """Lines may end as on Unix, on Windows, on Windows twice over, and on an old Mac."""
    run = only(log(TABLE.replace("\n", ending)))
    assert values(run, "train/loss") == [3, 2, 1]
    assert run.series["train/loss"].lines.tolist() == [2, 3, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "gb18030"])
def test_encodings(log, encoding):
    """A byte order mark is no part of the first column's name; other encodings do no harm."""
    note = {"latin-1": "naïve", "gb18030": "损失"}.get(encoding, "ε")
    run = only(log(TABLE.replace("\n1", f"\n# {note}\n1").encode(encoding)))
    assert values(run, "train/loss") == [3, 2, 1]


def test_lines_are_physical(log):
    """Comments, blank lines and quoted newlines count: a finding points at the very line."""
    text = '# made by hand\n\nepoch,note,loss\n1,"a\nb",3\n\n2,plain,2\n# stop\n3,"c, d",1\n'
    assert only(log(text)).series["train/loss"].lines.tolist() == [4, 7, 9]


def test_nan_is_a_value_and_blank_is_none(log):
    """NaN that the run logged survives; an empty cell is no point."""
    run = only(log("epoch,loss,val_loss\n1,3,\n2,nan,-\n3,NaN,null\n4,inf,2\n5,-Infinity,—\n"))
    assert [v if math.isfinite(v) else str(v) for v in values(run, "train/loss")] == [3, "nan", "nan", "inf", "-inf"]
    assert run.series["validation/loss"].steps.tolist() == [4]


def test_decimal_comma(log):
    """Where commas do not cut, they are decimal."""
    run = only(log("epoch;loss;val_loss\n1;2,5;1.234,5\n2;1,5;1,25\n"))
    assert values(run, "train/loss") == [2.5, 1.5]
    assert values(run, "validation/loss") == [1234.5, 1.25]


def test_thousands(log):
    """A quoted number may have thousands commas."""
    assert values(only(log('step,loss\n"1,000","12,345.5"\n"2,000",9\n')), "train/loss") == [12345.5, 9]


@pytest.mark.parametrize("cells", [("50%", "60%"), ("50", "60"), ("50 %", "60 %")])
def test_percent_becomes_a_fraction(log, cells):
    """Shares above one are percent, in train and validation alike."""
    first, second = cells
    run = only(log(f"epoch,accuracy,val_accuracy\n1,{first},1\n2,{second},1.2\n"))
    assert values(run, "train/accuracy") == pytest.approx([0.5, 0.6])
    assert values(run, "validation/accuracy") == pytest.approx([0.01, 0.012])
    assert run.series["train/accuracy"].scale == 0.01


def test_decimal_commas_in_quotes_between_commas(log):
    """A spreadsheet that knows only commas quotes its decimals; 1,234 among them is no thousand."""
    run = only(log('epoch,loss,val_loss\n1,"2,5","2,75"\n2,"1,234","2,5"\n3,"0,75","2,25"\n'))
    assert values(run, "train/loss") == [2.5, 1.234, 0.75]
    assert values(run, "validation/loss") == [2.75, 2.5, 2.25]


@pytest.mark.parametrize("train", ["20%,0.25\n2,80%,0.5", "20,0.25\n2,80,0.5"])
def test_percent_next_to_fractions(log, train):
    """One split in percent and the other in fractions are each read as they are meant."""
    run = only(log(f"epoch,accuracy,val_accuracy\n1,{train}\n"))
    assert values(run, "train/accuracy") == [0.2, 0.8]
    assert values(run, "validation/accuracy") == [0.25, 0.5]


def test_percent_of_one_or_less_is_percent(log):
    """Guessing among 200 classes is right half a percent of the time, however well training goes; so is an error of 1 %."""
    run = only(log("epoch,accuracy,val_accuracy\n1,5,0.5\n2,30,0.5\n"))
    assert values(run, "validation/accuracy") == [0.005, 0.005]
    run = only(log("epoch,error,val_error\n1,1,21\n2,1,20.5\n"))
    assert values(run, "train/error") == [0.01, 0.01]


def test_a_count_under_the_name_of_a_share_is_not_judged(log):
    """Of 9,234 right answers no error can be told: the column is left out, and reported."""
    run = only(log("epoch,loss,val_accuracy\n1,2,8000\n2,1,9234\n"))
    assert "validation/accuracy" not in run.series
    assert run.unknown == ("val_accuracy",)
    assert [f.name for f in nndoctor.diagnose(run, isolated=True).findings if "9234" in f.message] == [
        "impossible-metric"
    ]


def test_fractions_stay(log):
    """A fraction is left alone, whatever the header claims."""
    assert values(only(log("epoch,acc (%)\n1,0.5\n2,0.75\n")), "train/accuracy") == [0.5, 0.75]


def test_sparse_rows_join(log):
    """Training and validation on rows of their own are two series over one axis (Lightning)."""
    run = only(log("epoch,step,train_loss,val_loss\n0,9,3,\n0,10,,4\n1,19,2,\n1,20,,3\n"))
    assert run.format == "lightning-csv"
    assert run.series["train/loss"].steps.tolist() == [9, 19]
    assert run.series["validation/loss"].steps.tolist() == [10, 20]


def test_epoch_means_are_preferred_to_their_twins_within_the_epoch(log):
    """`_epoch` counts where it is a curve; a short run is judged by `_step`."""
    long = "".join(f"{k},{10 * k},,{k}\n{k},{10 * k + 5},{9 - k},\n" for k in range(9))
    run = only(log("epoch,step,train_loss_epoch,train_loss_step\n" + long))
    assert run.series["train/loss"].column == "train_loss_epoch"
    short = "0,1,,3\n0,2,,2\n0,3,,2\n0,4,2.3,\n"
    run = only(log("epoch,step,train_loss_epoch,train_loss_step\n" + short))
    assert run.series["train/loss"].column == "train_loss_step"


def test_repeated_header_is_no_row(log):
    """A writer that starts anew may write its header again."""
    run = only(log("epoch,loss\n1,3\n2,2\nepoch,loss\n3,1\n"))
    assert values(run, "train/loss") == [3, 2, 1]
    assert run.series["train/loss"].lines.tolist() == [2, 3, 5]


def test_resumed_run_is_stitched(log):
    """Steps that go back a bit are one run: what came later stands."""
    run = only(log("epoch,loss\n0,5\n1,4\n2,3\n3,2\n2,2.5\n3,1.5\n4,1\n"))
    assert run.series["train/loss"].steps.tolist() == [0, 1, 2, 3, 4]
    assert values(run, "train/loss") == [5, 4, 2.5, 1.5, 1]
    assert run.fact("resumed_at") == (2.0,)
    assert run.series["train/loss"].lines.tolist() == [2, 3, 6, 7, 8]


def test_a_tail_that_was_abandoned_is_dropped(log):
    """A run resumed before its last checkpoint, and stopped early, ends where its own rows end."""
    run = only(log("epoch,loss\n0,5\n1,4\n2,3\n3,2\n1,4.5\n2,3.5\n"))
    assert values(run, "train/loss") == [5, 4.5, 3.5]


def test_appended_runs_are_distinguished(log):
    """An epoch that restarts at its start begins another run."""
    path = log("epoch,loss\n0,5\n1,4\n2,3\n0,6\n1,5\n0,7\n1,6\n2,5\n")
    runs = nndoctor.read(path)
    assert [run.source for run in runs] == [f"{path}#1", f"{path}#2", f"{path}#3"]
    assert [values(run, "train/loss") for run in runs] == [[5, 4, 3], [6, 5], [7, 6, 5]]
    assert {run.fact("runs_in_log") for run in runs} == {3}


def test_each_of_several_runs_has_its_own_settings(log):
    """A setting that changes from run to run is a fact of each."""
    rows = "0,3,SGD,32\n1,2,SGD,32\n0,3,Adam,64\n1,1,Adam,64\n"
    runs = nndoctor.read(log("epoch,loss,Optimizer,batch_size\n" + rows))
    assert [(run.fact("optimizer"), run.fact("batch_size")) for run in runs] == [("SGD", 32), ("Adam", 64)]


def test_runs_named_by_a_column_are_distinguished(log):
    """Interleaved rows of two runs are two runs."""
    runs = nndoctor.read(log("run_id,epoch,loss\na,0,3\nb,0,9\na,1,2\nb,1,8\n"))
    assert [values(run, "train/loss") for run in runs] == [[3, 2], [9, 8]]


def test_a_phase_column_gives_the_split(log):
    """`phase` says of which split a row is."""
    run = only(log("epoch,phase,loss,acc\n0,train,3,.1\n0,val,4,.2\n1,train,2,.3\n1,val,3,.4\n"))
    assert values(run, "train/loss") == [3, 2]
    assert values(run, "validation/accuracy") == [0.2, 0.4]


def test_no_axis_counts_rows(log):
    """Without a step or an epoch the rows are counted, and the note says so."""
    run = only(log("val_loss,loss\n4,3\n3,2\n"))
    assert run.series["train/loss"].steps.tolist() == [1, 2]
    assert any("row numbers" in note for note in run.notes)


def test_batches_within_epochs_are_counted(log):
    """Several full rows an epoch are steps, not duplicates."""
    rows = "".join(f"{k // 5},{20 - k}\n" for k in range(20))
    assert len(only(log("epoch,loss\n" + rows)).series["train/loss"]) == 20


def test_steps_that_restart_each_epoch_are_joined(log):
    """An iteration count within the epoch goes on across epochs."""
    rows = "".join(f"{e},{i},{9 - e - i / 10}\n" for e in (1, 2, 3) for i in (10, 20, 30))
    run = only(log("epoch,iter,loss\n" + rows))
    assert run.series["train/loss"].steps.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_wide_table(log):
    """Hundreds of columns of no interest are listed, and in nobody's way."""
    names = ["epoch", "loss", *(f"junk{i}" for i in range(600))]
    rows = "".join(",".join([str(k), str(9 - k), *["1"] * 600]) + "\n" for k in range(5))
    run = only(log(",".join(names) + "\n" + rows))
    assert values(run, "train/loss") == [9, 8, 7, 6, 5]
    assert len(run.unknown) == 600


def test_a_header_longer_than_the_first_bytes(log):
    """A header of over 64 kB is read whole."""
    names = [f"some_rather_long_name_of_no_interest_{i}" for i in range(2500)]
    text = ",".join([*names, "loss"]) + "\n" + "\n".join(",".join(["1"] * 2500 + [str(v)]) for v in (3, 2, 1))
    assert values(only(log(text + "\n")), "train/loss") == [3, 2, 1]


def test_last_line_that_is_cut_off_is_left_out(log):
    """A file copied while it was written ends in half a row."""
    run = only(log(TABLE + "4,0."))
    assert values(run, "train/loss") == [3, 2, 1]
    assert any("incomplete" in note for note in run.notes)


def test_a_nameless_index_column(log):
    """Rows with one cell more than the header have an index that it does not name (R)."""
    assert values(only(log("epoch,loss\na,1,3\nb,2,2\nc,3,1\n")), "train/loss") == [3, 2, 1]


def test_unreadable_cells_are_counted(log):
    """Text in a column of numbers is a fact, with the line of the first."""
    run = only(log("epoch,loss\n1,3\n2,oops\n3,1\n4,?\n5,0.5\n"))
    assert run.facts["unreadable_values"].value == 2
    assert run.facts["unreadable_values"].line == 3
    assert values(run, "train/loss") == [3, 1, 0.5]


def test_parts_of_a_loss_are_summed(log):
    """YOLO logs no total: the parts are added up, for each split."""
    header = "  epoch, train/box_loss, train/obj_loss, metrics/mAP_0.5,metrics/mAP_0.5:0.95, val/box_loss, val/obj_loss, x/lr0, x/lr1, x/lr2"
    run = only(log(header + "\n 0, 2, 1, .1, .05, 3, 1, .1, .01, .01\n 1, 1, .5, .2, .1, 2, 1, .05, .02, .02\n"))
    assert values(run, "train/loss") == [3, 1.5]
    assert values(run, "validation/loss") == [4, 3]
    assert values(run, "validation/map50") == [0.1, 0.2]
    assert values(run, "validation/map") == [0.05, 0.1]
    assert values(run, "lr") == [0.01, 0.02]


def test_test_split_stands_for_a_missing_validation(log):
    """`test_` logged along the way is what validates, and the note says so."""
    run = only(log("epoch,train_loss,test_loss,test_acc1\n0,3,4,10\n1,2,3,20\n"))
    assert values(run, "validation/loss") == [4, 3]
    assert any("test split" in note for note in run.notes)


def test_test_split_stays_next_to_validation(log):
    """With a validation split, test is test."""
    assert "test/loss" in only(log("epoch,train_loss,val_loss,test_loss\n0,3,3,4\n1,2,3,3\n")).series


@pytest.mark.parametrize(
    ("header", "task"),
    [("epoch,d_loss,g_loss", "gan"), ("timesteps,rollout/ep_rew_mean,train/loss", "reinforcement-learning")],
)
def test_games_have_no_training_loss(log, header, task):
    """The losses of a GAN or of reinforcement learning do not show learning."""
    run = only(log(header + "\n0,3,4\n1,2,3\n"))
    assert "train/loss" not in run.series
    assert run.fact("task") == task


def test_rewards_of_preference_tuning_are_no_game(log):
    """DPO logs rewards beside a loss that does show learning."""
    run = only(log("step,loss,rewards/chosen,rewards/rejected\n1,.69,0,0\n2,.6,1,-1\n"))
    assert values(run, "train/loss") == [0.69, 0.6]


def test_map_overrides(log):
    """--map names a column that cannot be guessed, and outranks a guess."""
    path = log("epoch,zeta,loss\n0,3,9\n1,2,9\n")
    assert values(only(path, maps=["zeta=train/loss"]), "train/loss") == [3, 2]
    assert only(path).unknown == ("zeta",)


@pytest.mark.parametrize("pair", ["zeta", "zeta=elsewhere/loss", "zeta=", "=train/loss", "eta=train/loss"])
def test_a_map_that_makes_no_sense(log, pair):
    """A map to no series, or from no column, is the user's mistake."""
    with pytest.raises(UsageError, match="--map"):
        nndoctor.read(log("epoch,zeta,loss\n0,3,9\n1,2,9\n"), maps=[pair])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("epoch,loss,val_loss\n", "no rows"),
        ("0,3,4\n1,2,3\n2,1,2\n", "no header"),
        ("epoch,zeta,eta\n0,3,4\n1,2,3\n", "--map"),
        ("once upon a time\nthere was a network\n", "cannot be parsed as a training log"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "pickle"),
        (bytes(range(256)) * 40, "binary"),
        ("lr,batch_size,dropout,best_accuracy\n.1,32,0,.9\n.01,64,.5,.8\n", "trials"),
        ("learning_rate,num_epochs,batch_size,accuracy\n.1,10,32,.9\n.01,20,64,.8\n", "trials"),
        ('"Name","State","Created","Runtime","loss"\n"a","finished","2020","9",".1"\n', "table of runs"),
        ('epoch,loss\n0,"3\n' + "1,2\n" * 400, "quote"),
    ],
)
def test_refusals_are_one_line_that_helps(log, content, says):
    """What cannot be read is said in one line, and never by a traceback."""
    with pytest.raises(UnreadableLog) as refused:
        nndoctor.read(log(content))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_file_is_reported(tmp_path):
    """A path that leads nowhere is named."""
    with pytest.raises(UnreadableLog, match="no such file"):
        nndoctor.read(tmp_path / "nowhere.csv")


def test_an_endless_line_is_not_taken_into_memory(log):
    """A line beyond any log's is refused."""
    with pytest.raises(UnreadableLog, match="line of over"):
        nndoctor.read(log(b"epoch,loss\n1,3\n" + b"7" * (17 << 20)))


def test_names_in_messages_are_shown_not_followed(log):
    """An escape sequence in a column's name does not reach the terminal."""
    with pytest.raises(UnreadableLog) as refused:
        nndoctor.read(log("epoch,\x1b[31mzeta\n0,3\n1,2\n"))
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("odd", ["1e308", "-1e308", "inf", "nan", "9223372036854775808"])
def test_steps_beyond_all_counting_are_not_counted_by(tmp_path, odd):
    """The rows are counted instead, and every rule can be asked."""
    log = tmp_path / "log.csv"
    rows = "".join(f"{odd if k == 7 else k},{1 + (k % 5) / 5},{1 / (k + 1)}\n" for k in range(60))
    log.write_text("step,loss,val_loss\n" + rows, encoding="utf-8")
    (run,) = nndoctor.read(str(log))
    assert run.series["train/loss"].steps.tolist() == list(range(1, 61))
    assert nndoctor.diagnose(run).run is run


def test_of_tens_of_thousands_of_columns_the_first_thousands_are_looked_at(tmp_path):
    """The loss stands among the first; the names behind it cost no time."""
    log = tmp_path / "wide.csv"
    header = ",".join(["epoch", "loss", *(f"c{k}" for k in range(50_000))])
    log.write_text(
        header + "\n" + "".join(f"{k},{1 / (k + 1)}" + ",1" * 50_000 + "\n" for k in range(3)), encoding="utf-8"
    )
    (run,) = nndoctor.read(str(log))
    assert run.series["train/loss"].values.tolist() == [1, 1 / 2, 1 / 3]
    assert len(run.unknown) < 5_000


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("epoch,loss,val_loss\n1,3,4\n2,2,3\n", "epoch"),
        ("step,loss\n10,3\n20,2\n", "step"),
        ("loss,val_loss\n3,4\n2,3\n", "epoch"),
        ("loss\n3\n2\n", "step"),
    ],
)
def test_a_run_knows_whether_it_counts_epochs(log, text, axis):
    """Rows that hold both splits are epochs, where no column counts."""
    assert only(log(text)).axis == axis
