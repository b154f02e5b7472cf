"""Where a study lives: a file in its folder, or a database that several machines share."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.errors import FxkitError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from fxkit.tuning.settings import Search

__all__ = ["close_storage", "open_storage", "open_study", "requeue", "without_password"]

MARK = "fxkit"
"""The study's attribute that holds what it is about."""

_TRIES = 4


def without_password(address: str) -> str:
    """Return the address of a database without the password in it, if there is one."""
    if not address:
        return ""
    import sqlalchemy

    try:
        url = sqlalchemy.make_url(address)
        return sqlalchemy.URL.create(
            url.drivername, url.username, None, url.host, url.port, url.database, url.query
        ).render_as_string()
    except (sqlalchemy.exc.SQLAlchemyError, ValueError):
        return address


def open_storage(address: str, folder: Path, heartbeat: int) -> RDBStorage:
    """Open the database at `address`; if that is empty, the file ``study.db`` in `folder`.

    Parameters
    ----------
    heartbeat
        Seconds after which a trial whose process is silent counts as abandoned: it is then put
        into the queue again.

    Raises
    ------
    FxkitError
        If there is no such database, it cannot be reached, or it holds something else.
    """
    import optuna
    import sqlalchemy

    # Optuna's own lines would break the table; what matters is shown by us.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url, options = _url(address, folder)
    shown = without_password(address) or str(folder / "study.db")
    callback = "heartbeat_stale_trial_callback"
    if callback not in inspect.signature(optuna.storages.RDBStorage).parameters:
        callback = "failed_trial_callback"  # its name before Optuna 4.9
    arguments: dict[str, Any] = {
        "heartbeat_interval": max(1, heartbeat // 4),
        "grace_period": heartbeat,
        callback: requeue,
    }
    for attempt in range(_TRIES):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                storage = optuna.storages.RDBStorage(
                    # Optuna fills in what is in braces.
                    url.replace("{", "{{").replace("}", "}}"),
                    engine_kwargs=options,
                    **arguments,
                )
                if storage.engine.name == "sqlite":
                    _one_at_a_time(storage)
                return storage
        except ImportError:
            raise FxkitError(
                f"storage={shown}: the driver for it is not installed: "
                "pip install 'fxkit[postgres]'"
            ) from None
        except sqlalchemy.exc.OperationalError as error:
            if "already exists" not in str(error):
                raise FxkitError(f"storage={shown}: {_reason(error)}") from None
            problem: Exception = error
        except sqlalchemy.exc.ProgrammingError as error:
            problem = error
        except sqlalchemy.exc.IntegrityError as error:
            problem = error
        except (sqlalchemy.exc.SQLAlchemyError, RuntimeError, ValueError) as error:
            raise FxkitError(f"storage={shown}: {_reason(error)}") from None
        # Two workers that make the tables at once get in each other's way, but only once.
        time.sleep(0.5 * (attempt + 1))
    raise FxkitError(f"storage={shown}: {_reason(problem)}") from None


def close_storage(storage: RDBStorage) -> None:
    """Close the connections to a database."""
    storage.remove_session()
    storage.engine.dispose()


def open_study(search: Search, storage: RDBStorage, identity: Mapping[str, Any]) -> Study:
    """Begin the study of `search`, or join it where it has been begun.

    Parameters
    ----------
    identity
        What the study is about, in JSON values: a study that is about anything else is refused.

    Raises
    ------
    FxkitError
        If a study of this name is about another model, other recordings, or anything else.
    """
    import optuna

    tune = search.tune
    directions = [optuna.study.StudyDirection.MINIMIZE] * len(tune.objectives)
    # The first epochs say little, and the first trials have nobody to be compared with.
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=max(2, min(5, tune.trials // 4)), n_warmup_steps=max(1, tune.epochs // 5)
    )
    try:
        study = optuna.create_study(
            storage=storage, study_name=search.name, directions=directions, pruner=pruner
        )
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=search.name, storage=storage, pruner=pruner)
        _compare(search.name, _mark(study), identity)
        return study
    study.set_user_attr(MARK, dict(identity))
    # The shipped defaults, or the recipe, go first, as near as the space allows: what is found is
    # then no worse than they are.
    start = search.settings.to_plain()
    study.enqueue_trial({k: dim.nearest(start[k]) for k, dim in search.space.items()})
    return study


def requeue(study: Study, trial: FrozenTrial) -> None:
    """Put a trial that was cut short into the queue again, with the same values."""
    import optuna

    study.add_trial(
        optuna.create_trial(
            state=optuna.trial.TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={"repeats": trial.user_attrs.get("repeats", trial.number)},
            # Where it was cut short before all its values were asked for.
            system_attrs={k: v for k, v in trial.system_attrs.items() if k == "fixed_params"},
        )
    )


def _url(address: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the address as SQLAlchemy takes it, and the options of its engine."""
    import sqlalchemy

    if not address:
        return f"sqlite:///{folder.absolute() / 'study.db'}", {"connect_args": {"timeout": 60}}
    try:
        url = sqlalchemy.make_url(address)
    except sqlalchemy.exc.ArgumentError:
        raise FxkitError(
            f"storage={address}: not the address of a database; write "
            "postgresql://USER@HOST/DATABASE or sqlite:///FILE"
        ) from None
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.get_backend_name() in ("postgresql", "postgres"):
        # The driver of fxkit[postgres], whatever the default of this SQLAlchemy is.
        url = url.set(drivername="postgresql+psycopg") if "+" not in url.drivername else url
        options["connect_args"] = {"connect_timeout": 10}
    elif url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": 60}
    return url.render_as_string(hide_password=False), options


def _one_at_a_time(storage: RDBStorage) -> None:
    """Let a file of SQLite have one transaction at a time, those that only read included.

    SQLite knows no SELECT ... FOR UPDATE, by which Optuna asks that nobody else changes a trial it
    has just read: without this, two processes can take the same trial from the queue.
    """
    from sqlalchemy import event

    @event.listens_for(storage.engine, "connect")
    def leave_transactions_to_us(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(storage.engine, "begin")
    def lock(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    # The connections from before know nothing of this.
    close_storage(storage)


def _reason(error: Exception) -> str:
    """Return the essence of a database's complaint, in one line."""
    text = str(getattr(error, "orig", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[:2]) or type(error).__name__


def _mark(study: Study) -> Mapping[str, Any]:
    """Return what an existing study says that it is about; it may have been begun this moment."""
    for _ in range(40):
        # Who begins a study marks it before adding a trial: this order misses neither.
        begun = bool(study.get_trials(deepcopy=False))
        found = study.user_attrs.get(MARK)
        if found is not None:
            return dict(found)
        if begun:
            break
        time.sleep(0.25)
    raise FxkitError(
        f"the study {study.study_name!r} in this storage was not made by fxkit: "
        "choose another tune.name"
    )


def _compare(name: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    for key in ours:
        if key not in theirs or theirs[key] != ours[key]:
            raise FxkitError(
                f"the study {name!r} in this storage has {key}={_text(theirs.get(key))}, not "
                f"{_text(ours[key])}: choose another tune.name, or give the same settings"
            )


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
