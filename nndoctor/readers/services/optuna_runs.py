"""`optuna:URL[#study]`: a study in a storage of Optuna's, for `sweep`; SQLite is read without Optuna."""

from __future__ import annotations

from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import FactValue
from nndoctor.readers.io.address import without_password
from nndoctor.readers.io.source import Source
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.studies import LEFT_OUT, FinishedTrial, Study, chosen, in_file, is_store
from nndoctor.readers.tables.table import Table


def read(rest: str) -> list[Table]:
    """Always raises UnreadableLog: a study has a value a trial, and no curves."""
    raise UnreadableLog(
        f"a study has one value a trial and no curves; use: nndoctor sweep 'optuna:{without_password(rest)}'"
    )


def study_at(rest: str) -> Study:
    """The study at an address: `sqlite:///x.db`, a server's URL, or the file of a journal. Raises UnreadableLog."""
    url, _, wanted = rest.partition("#")
    path = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else url
    if "://" not in path and not Path(path).is_file():
        raise UnreadableLog(f"{path}: no such file; expected sqlite:///FILE, another database's URL, or a journal file")
    source = Source(path)
    if "://" not in path and is_store(source):
        return in_file(source, wanted)
    return _asked(url, wanted)


def _asked(url: str, wanted: str) -> Study:
    import optuna
    from optuna.storages import BaseStorage
    from optuna.study import StudyDirection

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage: str | BaseStorage = url
    if "://" not in url:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        storage = JournalStorage(JournalFileBackend(url))
    name = chosen(optuna.get_all_study_names(storage), wanted, "the storage")
    study = optuna.load_study(study_name=name, storage=storage)
    done = tuple(
        FinishedTrial(
            trial.number, {key: _plain(value) for key, value in trial.params.items()}, tuple(trial.values or ())
        )
        for trial in study.get_trials(deepcopy=False)
        if trial.state.name not in LEFT_OUT
    )
    return Study(name, tuple(one is StudyDirection.MAXIMIZE for one in study.directions), done)


def _plain(value: object) -> FactValue:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


SERVICE = Service("Optuna", "optuna", "optuna", "put the database's user and password into the URL", read)
