using System.Globalization;
using System.Security.Cryptography;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Platform;
using Evidence.Vaults;

namespace Evidence.Proofs;

/// <summary>
/// Checks a proof with nothing but the file and what the checker brings: a policy that says whose log counts and whose word on it, and the authorities whose
/// time stamps count. Keys that are only in the file show that it agrees with itself, and never whose it is.
/// </summary>
public sealed class ProofCheck
{
    private readonly ProofFile proof;
    private readonly WitnessPolicy? policy;
    private readonly TrustedAuthorities trust;
    private readonly KeyRegistry registry = new();
    private readonly List<string> statements = [];
    private readonly List<JudgedEntry> judged = [];
    private readonly List<(TimestampVerdict Verdict, Sha256Digest Document)> stamps = [];
    private Checkpoint checkpoint = null!;
    private IReadOnlyList<VerifierKey> keys = [];
    private PolicyVerdict? verdict;
    private Hindsight? hindsight;
    private bool isKnown;
    private int unread;
    private ProvedTimes times = ProvedTimes.None;
    private TimeBounds bounds = null!;

    private ProofCheck(ProofFile proof, WitnessPolicy? policy, TrustedAuthorities trust) => (this.proof, this.policy, this.trust) = (proof, policy, trust);

    /// <summary>Checks a proof's file, also one of two histories (<see cref="ForkProof"/>). Of a range, one segment at a time is in memory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="policy">Whose logs and witnesses the checker trusts; null for nobody's.</param>
    /// <param name="trust">Whose time stamps count.</param>
    /// <param name="range">Takes the proved bytes of the range, what was not read as zeros, once all of them are checked; null where nobody asks for them.</param>
    /// <exception cref="EvidenceException">The file cannot be read.</exception>
    public static ProofVerdict Run(string path, WitnessPolicy? policy, TrustedAuthorities trust, Stream? range = null)
    {
        using FileStream file = SmallFile.Open(path);
        return Run(file, policy, trust, range);
    }

    /// <summary>Checks a proof.</summary>
    /// <param name="bytes">The file's bytes.</param>
    /// <param name="policy">Whose logs and witnesses the checker trusts; null for nobody's.</param>
    /// <param name="trust">Whose time stamps count.</param>
    /// <param name="range">As above.</param>
    public static ProofVerdict Run(ReadOnlySpan<byte> bytes, WitnessPolicy? policy, TrustedAuthorities trust, Stream? range = null) =>
        Run(new MemoryStream(bytes.ToArray()), policy, trust, range);

    /// <summary>Checks a proof's file, and writes the bytes of its range to a new file, unless it is refuted or is about no range.</summary>
    /// <param name="path">The file.</param>
    /// <param name="policy">Whose logs and witnesses the checker trusts; null for nobody's.</param>
    /// <param name="trust">Whose time stamps count.</param>
    /// <param name="output">The new file. One that is there is not overwritten.</param>
    /// <exception cref="EvidenceException">A file cannot be read or written.</exception>
    public static ProofVerdict Extract(string path, WitnessPolicy? policy, TrustedAuthorities trust, string output)
    {
        ProofVerdict outcome = null!;
        string written = DurableFile.WriteBeside(output, file => outcome = Run(path, policy, trust, file), writable: true);
        if (outcome.RangeDigest is null)
            File.Delete(written);
        else if (!DurableFile.TryPublish(written, Path.GetFullPath(output)))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {output} already; name another.");
        return outcome;
    }

    internal static ProofVerdict Run(Stream file, WitnessPolicy? policy, TrustedAuthorities trust, Stream? range)
    {
        ArgumentNullException.ThrowIfNull(trust);
        var beginning = new byte[32];
        int length = ProofContents.ReadFrom(file, beginning);
        file.Position = 0;
        if (ForkProof.Begins(beginning.AsSpan(0, length)))
            return ForkCheck.Run(file, policy);
        ProofCheck? check = null;
        try
        {
            check = new ProofCheck(ProofFile.Read(file), policy, trust);
            return check.Run(range);
        }
        catch (Exception e) when (e is FormatException or CryptographicException || (e is EvidenceException { Code: ErrorCode.TimestampRefused or ErrorCode.ContentRefuted }))
        {
            return new ProofVerdict { Standing = ProofStanding.Refuted, Statements = [], Refutation = e.Message, Subject = check?.proof.Subject };
        }
    }

    private ProofVerdict Run(Stream? range)
    {
        SignedNote note = SignedNote.Parse(proof.Note);
        checkpoint = Checkpoint.Parse(note.Text);
        CheckPlaces();
        Fold();
        CheckSignatures(note);
        CheckStamps();
        times = Times();
        bounds = new TimeBounds(times, NamedTimes());
        Sha256Digest? digest = Describe(range);
        bool isVouchedFor = SayWhoVouches();
        SayWhen();
        return new ProofVerdict
        {
            Standing = isVouchedFor && unread == 0 && judged.All(j => j.Verdict?.Status == EntrySignatureStatus.Valid) ? ProofStanding.Proved : ProofStanding.Consistent,
            Statements = statements,
            Subject = proof.Subject,
            Checkpoint = checkpoint,
            Entries = judged,
            Registry = registry,
            Bounds = [.. judged.Select(one => bounds.Of(one.Index))],
            Policy = verdict,
            Timestamps = [.. stamps.Select(stamp => stamp.Verdict)],
            RangeDigest = digest,
        };
    }

    /// <summary>Every entry is at its place under the checkpoint's root; where the subject is an item, they are all that there are.</summary>
    private void CheckPlaces()
    {
        if (proof.Subject.Item is not null)
        {
            var tree = new MerkleAccumulator();
            foreach (ProvedEntry entry in proof.Entries)
            {
                Demand(entry.Index == tree.Count && entry.Proof.Count == 0, $"Entry {entry.Index} stands where {tree.Count} comes next");
                tree.Append(MerkleTree.LeafHash(entry.Bytes));
            }

            Demand(tree.Count == checkpoint.Size && tree.Root == checkpoint.Root, $"The entries are not the {checkpoint.Size} that the checkpoint commits to: one is missing, added, changed or moved");
            return;
        }

        long last = -1;
        foreach (ProvedEntry entry in proof.Entries)
        {
            Demand(entry.Index > last, $"Entry {entry.Index} does not come after {last}");
            Demand(
                MerkleProof.VerifyInclusion(entry.Index, checkpoint.Size, MerkleTree.LeafHash(entry.Bytes), [.. entry.Proof], checkpoint.Root),
                $"Entry {entry.Index} is not shown to be at its place under the checkpoint");
            last = entry.Index;
        }

        Demand(proof.Entries.Any(entry => entry.Index == proof.Subject.Entry), $"Entry {proof.Subject.Entry}, which it is about, is not in it");
    }

    private void Fold()
    {
        var said = new Statements();
        foreach (ProvedEntry entry in proof.Entries)
        {
            var one = JudgedEntry.Judge(entry.Index, entry.Bytes, registry);
            // Where all entries are in it, it can tell.
            if (proof.Subject.Item is not null && one.Entry is { } known && !said.TryAdd(entry.Index, known))
                one = one with { Repeats = said.Find(known) };
            unread += one.Entry is null ? 1 : 0;
            if (proof.Subject.Concerns(one))
                judged.Add(one);
        }

        if (proof.Subject.Entry is not null && judged is [{ Entry: null } strange])
            throw new FormatException($"Entry {strange.Index} is of no form that is known here: {strange.Defect}");
        foreach (JudgedEntry wrong in judged.Where(j => j.Verdict?.Status == EntrySignatureStatus.Invalid))
            throw new FormatException($"A signature of entry {wrong.Index} is wrong.");
    }

    /// <summary>The log's own keys signed the checkpoint: those that the policy knows, else those that the file's own entries declare.</summary>
    private void CheckSignatures(SignedNote note)
    {
        IReadOnlyList<VerifierKey> declared = registry.Vault is { } vault && string.Equals(vault.Origin, checkpoint.Origin, StringComparison.Ordinal) ? vault.Keys : [];
        IReadOnlyList<VerifierKey> known = policy?.KeysOf(checkpoint.Origin) ?? [];
        NoteVerdict byKnown = NoteVerifier.Verify(note, known);
        isKnown = byKnown.Verified.Count > 0;
        keys = isKnown || byKnown.Failed.Count > 0 ? known : declared;
        if (CheckpointFile.Parse(proof.Note, keys).Defect(checkpoint.Origin, keys) is { } defect)
            throw new FormatException($"The checkpoint is not to be trusted: {defect}");
        verdict = policy?.Judge(note);
        if (verdict?.Witnesses.FirstOrDefault(witness => witness.Status == WitnessStatus.Wrong) is { } wrong)
            throw new FormatException($"The cosignature of the witness {wrong.Witness.Name} is wrong.");
    }

    private void CheckStamps()
    {
        foreach (ProvedStamp stamp in proof.Stamps)
        {
            var document = TimestampDocument.Decode(stamp.Document);
            TimestampVerdict one = TimestampCheck.Run(document, trust);
            if (CheckpointFile.Parse(document.Note, keys).Defect(checkpoint.Origin, keys) is { } defect)
                throw new FormatException($"A time stamp is over a checkpoint that is not this log's: {defect}");
            Demand(
                MerkleProof.VerifyConsistency(one.Checkpoint.Size, one.Checkpoint.Root, checkpoint.Size, checkpoint.Root, [.. stamp.Consistency]),
                $"The time-stamped checkpoint of {one.Checkpoint.Size} entries is not shown to be of the same history");
            stamps.Add((one, Sha256Digest.Compute(stamp.Document)));
        }
    }

    private Sha256Digest? Describe(Stream? range)
    {
        if (proof.Subject.Item is { } item)
        {
            string indexes = string.Join(", ", judged.Select(j => j.Index.ToString(CultureInfo.InvariantCulture)));
            Say(judged.Count == 0
                ? $"Among the first {checkpoint.Size} entries of the ledger {checkpoint.Origin} none concerns {item}."
                : $"These are all the entries that concern {item} among the first {checkpoint.Size} of the ledger {checkpoint.Origin}: {indexes}.");
            foreach (JudgedEntry one in judged)
            {
                SaySigner(one);
                SayBounds(one.Index);
            }

            if (unread > 0)
                Say($"{unread} of the entries are of no form that is known here; what they concern cannot be said.");
            return null;
        }

        JudgedEntry subject = judged[0];
        Say($"Entry {subject.Index} of the ledger {checkpoint.Origin}, of the kind '{subject.Entry!.Payload.Kind}', is at its place among the first {checkpoint.Size}.");
        SaySigner(subject);
        if (proof.Subject.Image is not { } image)
            return null;
        ImageRecord record = subject.Entry.Payload.Kind == EntryKind.Acquisition
            ? ImageRecord.TryRead(subject.Index, subject.Entry.Payload, subject.Verdict!.Status) ?? throw new FormatException($"Entry {subject.Index} records no image.")
            : throw new FormatException($"Entry {subject.Index} is no acquisition.");
        ImageManifest manifest = ImageManifest.Decode(proof.Manifest);
        Demand(record.Image == image && Sha256Digest.Compute(proof.Manifest) == image, $"The manifest is not that of the image which entry {subject.Index} records");
        Demand(record.Root == manifest.Root && record.Size == manifest.Size && record.AgreesWith(manifest), $"The manifest does not say what entry {subject.Index} says of the image");
        Say($"It records the image sha256:{image} of {record.Item}: {manifest.Size} bytes, map root {manifest.Root}, {(manifest.IsComplete ? "complete" : "with ranges that were not read")}.");
        Say($"What it was imaged from ({manifest.Source["name"]}), when ({Timestamps.Format(manifest.Started)} to {Timestamps.Format(manifest.Finished)}) and by whom is the signer's statement.");
        return proof.Subject.Offset is null
            ? DemandNothing()
            : new RangeCheck(proof, manifest).Run(Say, range);
    }

    private Sha256Digest? DemandNothing()
    {
        Demand(proof.Pages.Count == 0 && proof.Segments.Count == 0, "It has parts of a map, and is about no range");
        return null;
    }

    private void SaySigner(JudgedEntry one)
    {
        if (one.Entry is not { } entry)
            return;
        string key = $"the key {entry.Payload.Key}";
        Say(one.Verdict switch
        {
            { Status: EntrySignatureStatus.Valid, Signer: { } signer } =>
                $"Entry {one.Index} is signed by {key}, which calls itself {signer.Name}. The time in it, {Timestamps.Format(entry.Payload.Time)}, is that signer's claim.",
            { Status: EntrySignatureStatus.Ended, Signer: { } signer } => $"Entry {one.Index} is signed by {key} of {signer.Name}, which signs no more: {one.Verdict.KeyEnd}. Nobody vouches for it.",
            _ => $"Entry {one.Index} is signed by {key}, which no entry in this proof declares before it: nobody vouches for it.",
        });
        if (one.Repeats is { } repeated)
            Say($"It says what entry {repeated} says: anybody can repeat that, with other signatures, and it counts once.");
        if (one.Verdict is { } at && (hindsight ??= new Hindsight(registry, times)).AddTo(one.Index, at).Later is { } later)
            Say(later.ToString());
    }

    private void SayBounds(long index)
    {
        EntryBounds proved = bounds.Of(index);
        string[] said =
        [
            .. proved.NotBefore is { } after ? [$"after {Timestamps.Format(after.Instant)}, for entry {after.Entry} before it names a time stamp that was made then"] : Array.Empty<string>(),
            .. proved.NoLaterThan is { } by ? [$"no later than {Timestamps.Format(by.NoLaterThan)}, by {by.By}"] : Array.Empty<string>(),
        ];
        Say(said.Length == 0
            ? $"When entry {index} came into the ledger, nobody outside says whom you trust."
            : $"Entry {index} came into the ledger {string.Join("; and ", said)}.");
    }

    private bool SayWhoVouches()
    {
        if (proof.Subject.Item is null)
            Say("What was declared or revoked of keys is what this proof has in it; that there is no more, only the proof of all entries shows.");
        if (policy is null || !isKnown)
        {
            string why = policy is null ? "no policy was given, so nobody here can say whose log this is"
                : policy.KeysOf(checkpoint.Origin).Count == 0 ? $"your policy does not know the log {checkpoint.Origin}"
                : $"it says that it is of the log {checkpoint.Origin}, and none of the keys that your policy has for that log signed it";
            Say($"Consistent, signer unknown: {why}. Whoever made this file could have made the keys in it too.");
            return false;
        }

        Say($"The checkpoint is signed by the log {checkpoint.Origin}, with keys that your policy names.");
        foreach (string sentence in verdict!.Explanation.Skip(1))
            Say(sentence);
        if (!verdict.IsAccepted)
            Say("Without that quorum the log's keeper could have shown somebody else another history.");
        return verdict.IsAccepted;
    }

    private void SayWhen()
    {
        foreach ((TimestampVerdict stamp, _) in stamps)
            Say(stamp.ToString());
        if (proof.Subject.Entry is not { } index)
            return;
        SayBounds(index);
    }

    /// <summary>By when the log had which size, as those say whom the checker trusts.</summary>
    private ProvedTimes Times()
    {
        List<ProvedTime> stamped =
        [
            .. stamps.Where(stamp => stamp.Verdict.Counts)
                .Select(stamp => new ProvedTime(stamp.Verdict.Checkpoint.Size, stamp.Verdict.NoLaterThan, $"the time-stamp authority {stamp.Verdict.Authority}")),
        ];
        ProvedTimes witnessed = new LedgerWitnessing(checkpoint.Size, verdict is null ? [] : [(checkpoint.Size, verdict)]).ProvedTimes;
        return witnessed.With(new ProvedTimes(stamped));
    }

    private IEnumerable<NamedTime> NamedTimes()
    {
        foreach (ProvedEntry entry in proof.Entries)
        {
            var one = JudgedEntry.Judge(entry.Index, entry.Bytes, new KeyRegistry());
            if (one.Entry is not { } naming || TimestampDocument.FileOf(naming.Payload) is not { } file)
                continue;
            foreach ((TimestampVerdict stamp, _) in stamps.Where(stamp => stamp.Verdict.Counts && TimestampDocument.NameOf(stamp.Document) == file))
                yield return new NamedTime(entry.Index, stamp.NotBefore);
        }
    }

    private void Say(string sentence) => statements.Add(sentence);

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
            throw new FormatException(otherwise + ".");
    }
}
