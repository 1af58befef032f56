using System.Security.Cryptography;
using System.Text;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Platform;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Ledger;

/// <summary>
/// The user's keys and what was seen of each log, in a folder outside every vault: <c>actors/NAME.pem</c>, an actor's earlier keys as
/// <c>actors/{former,revoked}/NAME/HEX.pem</c> by the key's id, time-stamp authorities that are trusted in <c>authorities/</c>, and for each log, by the
/// SHA-256 of its origin, <c>logs/HASH/{ed25519.pem,ecdsa.pem,origin,pinned,place,seen,conflicts/…}</c>; for each witness that the user is, by the SHA-256 of its name,
/// <c>witnesses/HASH/{ed25519.pem,name,state}</c>; and <c>policy</c>, whom the user trusts. Private keys are PKCS#8 PEM, mode 0600.
/// <c>journal.key</c> is 32 random bytes.
/// </summary>
public sealed class KeyStore : ISeenCheckpoints
{
    private const string Extension = ".pem";
    private const string Former = "former";
    private const string Revoked = "revoked";
    private const int MostConflicts = 16;

    private readonly string folder;
    private readonly ILogger logger;

    /// <summary>Uses a folder. It is made when something is first written to it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="logger">Hears of leftovers that were removed.</param>
    public KeyStore(string folder, ILogger? logger = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        this.logger = logger ?? NullLogger.Instance;
        this.folder = Path.GetFullPath(folder);
    }

    /// <summary>The folder that <c>EVIDENCE_HOME</c> names, else <c>evidence</c> in the user's configuration folder.</summary>
    public static string DefaultFolder() => Environment.GetEnvironmentVariable("EVIDENCE_HOME") is { Length: > 0 } home
        ? home
        : Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "evidence");

    /// <summary>The names of the actors whose private keys are here.</summary>
    public IReadOnlyList<string> ListActors()
    {
        string actors = Path.Combine(folder, "actors");
        return Directory.Exists(actors)
            ?
            [
                .. Directory.GetFiles(actors, "*" + Extension)
                    .Select(path => Path.GetFileNameWithoutExtension(path))
                    .Order(StringComparer.Ordinal),
            ]
            : [];
    }

    /// <summary>Makes and keeps a new actor key.</summary>
    /// <exception cref="EvidenceException">There is one of that name already.</exception>
    public ActorKey CreateActor(string name)
    {
        string path = ActorPath(name);
        using IDisposable taken = Lock();
        if (File.Exists(path))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is an actor key named {name} already: {path}.");
        var key = ActorKey.Create();
        Write(path, key.ExportPem());
        return key;
    }

    /// <summary>Loads an actor's key.</summary>
    /// <exception cref="EvidenceException">There is none, or it cannot be read.</exception>
    public ActorKey LoadActor(string name) => LoadKey(ActorPath(name), ActorKey.Import, $"The key of the actor {name}");

    /// <summary>Loads an actor's key, and makes it where the actor never had one.</summary>
    /// <exception cref="EvidenceException">The actor's key was revoked (<see cref="ErrorCode.KeyRevoked"/>), or cannot be read.</exception>
    internal ActorKey LoadOrCreateActor(string name)
    {
        if (!ListActors().Contains(name, StringComparer.Ordinal))
        {
            IReadOnlyList<ActorKey> revoked = LoadRevoked(name);
            if (revoked.Count > 0)
            {
                foreach (ActorKey key in revoked)
                    key.Dispose();
                // Whoever revoked a key decides whether there shall be another.
                throw new EvidenceException(
                    ErrorCode.KeyRevoked, $"The key of {name} was revoked, and signs no more. 'evidence identity create {name}' makes a new one.");
            }

            try
            {
                return CreateActor(name);
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.DestinationInvalid, StringComparison.Ordinal) && ListActors().Contains(name, StringComparer.Ordinal))
            {
                // Another process made it in between.
            }
        }

        return LoadActor(name);
    }

    /// <summary>
    /// The key of the codes in what this user's interrupted acquisitions leave in a vault (<c>docs/format/vault.md</c>, Journals). Made when it is first needed.
    /// </summary>
    /// <param name="vaultId">The vault's id.</param>
    internal byte[] JournalKey(string vaultId) => OwnKey("evidence journal " + vaultId);

    /// <summary>The key of the code of what this user remembers of a vault under a name (<see cref="OwnMemory"/>).</summary>
    internal byte[] MemoryKey(string vaultId, string name) => OwnKey($"evidence memory {name} {vaultId}");

    /// <summary>Where that lies.</summary>
    internal string MemoryPath(string vaultId, string name) => Path.Combine(folder, "memory", vaultId, name);

    private byte[] OwnKey(string purpose)
    {
        string path = Path.Combine(folder, "journal.key");
        using IDisposable taken = Lock();
        if (!File.Exists(path))
            Write(path, RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes));
        // A journal that was written with it must not outlast it: whoever made it may have died before its name was flushed.
        DurableFile.SyncName(path);
        byte[] own = SmallFile.Read(path, HMACSHA256.HashSizeInBytes);
        return own.Length == HMACSHA256.HashSizeInBytes
            ? HMACSHA256.HashData(own, Encoding.UTF8.GetBytes(purpose))
            : throw new EvidenceException(ErrorCode.KeyMissing, $"{path} is damaged: it has {HMACSHA256.HashSizeInBytes} bytes. Remove it; acquisitions that were interrupted then begin anew.");
    }

    /// <summary>
    /// Makes a new key for an actor in the place of the one that it has. The old one is kept as a former key: in a ledger that does not know of the new one yet, it
    /// signs that, and nothing else.
    /// </summary>
    /// <exception cref="EvidenceException">The actor has no key here, or it cannot be read.</exception>
    public ActorKey RotateActor(string name)
    {
        string path = ActorPath(name);
        using IDisposable taken = Lock();
        using (ActorKey old = LoadActor(name))
            Write(EarlierPath(Former, name, old.Id), old.ExportPem());
        var key = ActorKey.Create();
        Write(path, key.ExportPem());
        return key;
    }

    /// <summary>Puts a key of an actor aside that was revoked: it signs no more, wherever it was declared, but its own revocation.</summary>
    /// <param name="name">The actor.</param>
    /// <param name="keyId">The key. Where the actor does not have it here, nothing happens.</param>
    public void PutAside(string name, string keyId)
    {
        string path = ActorPath(name);
        using IDisposable taken = Lock();
        foreach (string place in (ReadOnlySpan<string>)[path, EarlierPath(Former, name, keyId)])
        {
            if (!File.Exists(place))
                continue;
            using ActorKey key = Load(place, ActorKey.Import, $"The key of the actor {name}");
            if (!string.Equals(key.Id, keyId, StringComparison.Ordinal))
                continue;
            Write(EarlierPath(Revoked, name, keyId), key.ExportPem());
            DurableFile.Translate(place, "remove", () => File.Delete(place));
            DurableFile.SyncDirectory(Path.GetDirectoryName(place)!);
        }
    }

    /// <summary>The keys that an actor had before the one that it has, and that were not revoked.</summary>
    /// <exception cref="EvidenceException">One of them cannot be read.</exception>
    public IReadOnlyList<ActorKey> LoadFormer(string name) => LoadEarlier(Former, name);

    /// <summary>The keys of an actor that were put aside because they were revoked.</summary>
    /// <exception cref="EvidenceException">One of them cannot be read.</exception>
    public IReadOnlyList<ActorKey> LoadRevoked(string name) => LoadEarlier(Revoked, name);

    /// <summary>The names of the witnesses whose private keys are here.</summary>
    public IReadOnlyList<string> ListWitnesses()
    {
        string witnesses = Path.Combine(folder, "witnesses");
        return Directory.Exists(witnesses)
            ?
            [
                .. Directory.GetDirectories(witnesses)
                    .Where(path => File.Exists(Path.Combine(path, "ed25519.pem")))
                    .Select(path => Load(Path.Combine(path, "name"), text => text.TrimEnd('\n'), "A witness's name"))
                    .Order(StringComparer.Ordinal),
            ]
            : [];
    }

    /// <summary>Makes and keeps a new witness key.</summary>
    /// <param name="name">The witness's name: a URL without a scheme.</param>
    /// <exception cref="EvidenceException">There is one of that name already, or it cannot be one's name.</exception>
    public WitnessKey CreateWitness(string name)
    {
        if (!KeyName.IsValid(name))
            throw new EvidenceException(ErrorCode.Usage, $"'{name}' cannot be a witness's name: a URL without a scheme, no spaces, no '+'. Example: lab.example/witness");
        using IDisposable taken = Lock();
        if (File.Exists(WitnessPath(name, "ed25519.pem")))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a key of the witness {name} already: {WitnessPath(name, "ed25519.pem")}.");
        var key = WitnessKey.Create(name);
        Write(WitnessPath(name, "name"), name + "\n");
        // Written last: its presence is what says that the key is whole.
        Write(WitnessPath(name, "ed25519.pem"), key.ExportPem());
        return key;
    }

    /// <summary>Loads a witness's key.</summary>
    /// <exception cref="EvidenceException">There is none, or it cannot be read.</exception>
    public WitnessKey LoadWitness(string name) => LoadKey(
        WitnessPath(name, "ed25519.pem"), pem => WitnessKey.Import(name, pem), $"The key of the witness {name}");

    /// <summary>
    /// Takes note of where a witness keeps what it signed, or that this was moved. By two such folders one key could sign two histories.
    /// </summary>
    /// <exception cref="EvidenceException">It keeps it elsewhere (<see cref="ErrorCode.WitnessStateInvalid"/>).</exception>
    internal void ClaimWitnessState(string name, string state)
    {
        using IDisposable taken = Lock();
        string path = WitnessPath(name, "state");
        var here = LedgerPlace.Of(state);
        LedgerPlace? known = File.Exists(path) ? Load(path, LedgerPlace.Parse, $"The place of what the witness {name} signed") : null;
        if (known == here)
            return;
        if (known?.IsSameVault(here) == false)
        {
            throw new EvidenceException(
                ErrorCode.WitnessStateInvalid,
                $"The witness {name} keeps what it signed in {known.Path}, not in {here.Path}. By two folders it could sign two histories. Name that folder with " +
                $"--state. If it is lost, the witness is, too: make another key, under another name.");
        }

        Write(path, here.ToText());
    }

    /// <summary>The user's own policy of logs and witnesses, <c>policy</c> in the folder.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">It cannot be read (<see cref="ErrorCode.PolicyInvalid"/>).</exception>
    public WitnessPolicy? FindPolicy() => File.Exists(PolicyPath) ? WitnessPolicy.Load(PolicyPath) : null;

    /// <summary>Where the user's own policy is.</summary>
    public string PolicyPath => Path.Combine(folder, "policy");

    /// <summary>Makes and keeps the keys of a new log, and pins their public parts.</summary>
    /// <exception cref="EvidenceException">There are keys of that log already.</exception>
    public LogKeys CreateLog(string origin)
    {
        using IDisposable taken = Lock();
        if (HasLog(origin))
        {
            throw new EvidenceException(
                ErrorCode.DestinationInvalid, $"There are keys of the log {origin} already: {LogPath(origin, "")}.");
        }

        var keys = LogKeys.Create(origin);
        Write(LogPath(origin, "origin"), origin + "\n");
        Write(LogPath(origin, "pinned"), PinnedText(keys.VerifierKeys));
        Write(LogPath(origin, "ed25519.pem"), keys.ExportEd25519Pem());
        // Written last: its presence is what says that the log's keys are whole.
        Write(LogPath(origin, "ecdsa.pem"), keys.ExportEcdsaPem());
        return keys;
    }

    /// <summary>The time-stamp authorities that the user trusts: all files in the folder <c>authorities</c>, certificates and revocation lists.</summary>
    /// <exception cref="EvidenceException">One of the files cannot be read, or holds neither.</exception>
    public TrustedAuthorities LoadAuthorities()
    {
        string authorities = Path.Combine(folder, "authorities");
        return Directory.Exists(authorities) ? TrustedAuthorities.Load(Directory.GetFiles(authorities).Order(StringComparer.Ordinal)) : TrustedAuthorities.None;
    }

    /// <summary>Whether the private keys of a log are here: whether its sequencer can run here.</summary>
    public bool HasLog(string origin) => File.Exists(LogPath(origin, "ecdsa.pem"));

    /// <summary>Whether a log may be written in a vault's folder: the keys are here, and it is not a copy of the vault that they are for.</summary>
    internal bool MayWrite(string origin, string folder) =>
        HasLog(origin) && (FindPlace(origin) is not { } known || known.IsSameVault(LedgerPlace.Of(folder)));

    /// <summary>Takes note of where a log's vault is, or was moved to.</summary>
    /// <exception cref="EvidenceException">The folder is a copy (<see cref="ErrorCode.VaultReadOnly"/>).</exception>
    internal void ClaimPlace(string origin, string folder)
    {
        using IDisposable taken = Lock();
        var here = LedgerPlace.Of(folder);
        LedgerPlace? known = FindPlace(origin);
        if (known == here)
            return;
        if (known?.IsSameVault(here) == false)
        {
            throw new EvidenceException(
                ErrorCode.VaultReadOnly,
                $"{here.Path} is a copy of the vault at {known.Path}, whose ledger {origin} is written there. Two that grow apart under one name would be a " +
                $"fork, so this one is only read. If it shall be the vault from now on, and the other is given up, remove {LogPath(origin, "place")}.");
        }

        Write(LogPath(origin, "place"), here.ToText());
    }

    /// <summary>Whether a folder is the one place where a log is written from here.</summary>
    internal bool IsPlace(string origin, string folder) => HasLog(origin) && FindPlace(origin)?.IsSameVault(LedgerPlace.Of(folder)) == true;

    /// <summary>The file that says what was sent to a replica of a log's vault.</summary>
    internal string ReplicaRecordPath(string origin, string replica) => LogPath(origin, Path.Combine("replicas", replica + ".record"));

    /// <summary>Takes note of where the vault of a log is that has just begun.</summary>
    internal void SetPlace(string origin, string folder)
    {
        using IDisposable taken = Lock();
        Write(LogPath(origin, "place"), LedgerPlace.Of(folder).ToText());
    }

    /// <summary>Loads the keys of a log.</summary>
    /// <exception cref="EvidenceException">They are not here, or cannot be read.</exception>
    public LogKeys LoadLog(string origin)
    {
        string what = $"The key of the log {origin}";
        // Looked at by itself, so that a damaged one is told by its own name.
        string ed25519 = Load(LogPath(origin, "ed25519.pem"), pem => Ed25519.ImportPem(pem).Length > 0 ? pem : "", what);
        return LoadKey(LogPath(origin, "ecdsa.pem"), pem => LogKeys.Import(origin, ed25519, pem), what);
    }

    /// <summary>Remembers a log's public keys, so that later nobody can put others in their place.</summary>
    /// <exception cref="EvidenceException">Other keys are pinned already.</exception>
    public void Pin(string origin, IReadOnlyCollection<VerifierKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        using IDisposable taken = Lock();
        IReadOnlyList<VerifierKey> before = Pinned(origin);
        if (before.Count == 0)
        {
            // Kept by an older version under keys that nobody vouched for; it counts only where these keys signed it.
            if (ReadSeen(origin) is { } note && !IsSignedBy(note, keys))
                File.Delete(LogPath(origin, "seen"));
            Write(LogPath(origin, "origin"), origin + "\n");
            Write(LogPath(origin, "pinned"), PinnedText(keys));
        }
        else if (!before.ToHashSet().SetEquals(keys))
        {
            throw new EvidenceException(
                ErrorCode.LedgerFork,
                $"Other keys are pinned for the log {origin}: {string.Join(", ", before)}. " +
                $"If the change is right, edit {LogPath(origin, "pinned")}.");
        }
    }

    /// <summary>The public keys pinned for a log; none where it was never met.</summary>
    public IReadOnlyList<VerifierKey> Pinned(string origin)
    {
        string path = LogPath(origin, "pinned");
        return File.Exists(path)
            ? Load(path, ParsePinned, "The pinned keys")
            : [];
    }

    /// <summary>
    /// The newest checkpoint seen of a log whose keys are pinned. Of others nothing is remembered: anybody can declare a log of that origin, and by
    /// that make the right one look set back.
    /// </summary>
    public byte[]? Find(string origin) => Pinned(origin).Count > 0 ? ReadSeen(origin) : null;

    /// <summary>Keeps a checkpoint, if a key signed it that is pinned, and no newer one of that log is kept.</summary>
    public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (!IsSignedBy(signedNote.ToArray(), Pinned(checkpoint.Origin)))
            return;
        // Under a lock: a reader that is behind must not set a writer's record back.
        using IDisposable taken = Lock();
        if (SeenRule.Find(this, checkpoint.Origin) is { } known && known.Size >= checkpoint.Size)
            return;
        string path = LogPath(checkpoint.Origin, "seen");
        Write(path, signedNote);
    }

    /// <summary>
    /// Keeps what proves that a log's keys signed what a ledger is not. Here, for whoever writes to a vault would remove it there.
    /// </summary>
    /// <param name="origin">The log.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="proof">Its content.</param>
    /// <returns>Where it is; null where many are kept already: two prove as much as a hundred.</returns>
    internal string? KeepConflict(string origin, string name, ReadOnlySpan<byte> proof)
    {
        using IDisposable taken = Lock();
        string path = LogPath(origin, Path.Combine("conflicts", name));
        if (File.Exists(path))
            return path;
        if (Path.GetDirectoryName(path) is { } conflicts && Directory.Exists(conflicts) && Directory.GetFiles(conflicts).Length >= MostConflicts)
            return null;
        Write(path, proof);
        return path;
    }

    private byte[]? ReadSeen(string origin)
    {
        string path = LogPath(origin, "seen");
        byte[]? note = null;
        DurableFile.Translate(path, "read", () => note = File.Exists(path) ? File.ReadAllBytes(path) : null);
        return note;
    }

    private static bool IsSignedBy(byte[] note, IReadOnlyCollection<VerifierKey> keys)
    {
        try
        {
            return keys.Count > 0 && CheckpointFile.Parse(note, keys).Verdict is { Failed.Count: 0, Verified.Count: > 0 };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private LedgerPlace? FindPlace(string origin)
    {
        string path = LogPath(origin, "place");
        return File.Exists(path) ? Load(path, LedgerPlace.Parse, $"The place of the ledger {origin}") : null;
    }

    private static VerifierKey[] ParsePinned(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(VerifierKey.ParseLogKey)];

    private static string PinnedText(IEnumerable<VerifierKey> keys) => string.Concat(keys.Select(key => $"{key}\n"));

    /// <summary>Loads a private key. What it signs outlasts a power cut, so it must, too.</summary>
    private static T LoadKey<T>(string path, Func<string, T> import, string what)
    {
        T key = Load(path, import, what);
        DurableFile.SyncName(path);
        return key;
    }

    private static T Load<T>(string path, Func<string, T> import, string what)
    {
        if (!File.Exists(path))
            throw new EvidenceException(ErrorCode.KeyMissing, $"{what} is not at hand: there is no {path}.");
        string text = "";
        DurableFile.Translate(path, "read", () => text = File.ReadAllText(path));
        try
        {
            return import(text);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.KeyMissing, $"{what} cannot be read from {path}: {e.Message}", e);
        }
    }

    private void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    private void Write(string path, ReadOnlySpan<byte> bytes)
    {
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        // The store's lock is held by whoever writes: what lies there of an earlier write was left by a run that was killed, and may be half of a key.
        Leftovers.RemoveFiles(path, ".tmp", logger);
        DurableFile.Replace(path, bytes, secret: true);
    }

    private FileLock Lock()
    {
        DurableFile.CreateDirectory(folder);
        return FileLock.Acquire(Path.Combine(folder, "lock"), CancellationToken.None);
    }

    private string ActorPath(string name) =>
        name is { Length: > 0 and <= 100 } && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@')
            ? Path.Combine(folder, "actors", name + Extension)
            : throw new EvidenceException(
                ErrorCode.Usage, $"'{name}' cannot be an actor key's name: letters, digits and - _ . @ only, not beginning with a dot.");

    private List<ActorKey> LoadEarlier(string state, string name)
    {
        string? directory = Path.GetDirectoryName(EarlierPath(state, name, ""));
        return Directory.Exists(directory)
            ?
            [
                .. Directory.GetFiles(directory, "*" + Extension).Order(StringComparer.Ordinal)
                    .Select(path => LoadKey(path, ActorKey.Import, $"An earlier key of the actor {name}")),
            ]
            : [];
    }

    private string EarlierPath(string state, string name, string keyId) =>
        Path.Combine(Path.GetDirectoryName(ActorPath(name))!, state, name, keyId[(keyId.IndexOf(':', StringComparison.Ordinal) + 1)..] + Extension);

    private string LogPath(string origin, string file) => PathByName("logs", origin, file);

    private string WitnessPath(string name, string file) => PathByName("witnesses", name, file);

    private string PathByName(string kind, string name, string file) =>
        Path.Combine(folder, kind, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))), file);
}
