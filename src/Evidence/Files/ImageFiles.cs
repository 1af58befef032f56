using System.Globalization;
using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Proofs;
using Evidence.Vaults;

namespace Evidence.Files;

/// <summary>
/// The files in an image. A reader of file systems finds them, The Sleuth Kit where nothing else is said, and what it says is held against the image. What comes from the ranges that it
/// names is proved; what cannot be is refused, with the reason.
/// </summary>
public sealed class ImageFiles : IDisposable
{
    /// <summary>The most ranges that a file may lie in to be returned: each takes a proof of its own, unless it lies beside another.</summary>
    public const int MostRanges = 1000;

    private const int WindowLength = 1 << 20;
    private const int LongestResident = 4096;

    private readonly Vault vault;
    private readonly ImageRecord record;
    private readonly IFileSystemReader fileSystems;
    private readonly ImageReader reader;

    private ImageFiles(Vault vault, ImageRecord record, VaultImage image, IFileSystemReader fileSystems)
    {
        this.vault = vault;
        this.record = record;
        this.fileSystems = fileSystems;
        reader = image.OpenReader();
    }

    /// <summary>Opens an image for its files, as The Sleuth Kit finds them over a mount of this process's own.</summary>
    /// <param name="vault">The vault; it stays open.</param>
    /// <param name="record">The image.</param>
    /// <exception cref="EvidenceException">It cannot be read, or nothing can be mounted here.</exception>
    public static ImageFiles Open(Vault vault, ImageRecord record) => Open(vault, record, image => new SleuthKitReader(vault, image, record.Item));

    /// <summary>Opens an image for its files, as another reader finds them.</summary>
    /// <param name="vault">The vault; it stays open.</param>
    /// <param name="record">The image.</param>
    /// <param name="open">Opens the reader, which is disposed with the files.</param>
    /// <exception cref="EvidenceException">It cannot be read.</exception>
    public static ImageFiles Open(Vault vault, ImageRecord record, Func<VaultImage, IFileSystemReader> open)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(open);
        VaultImage image = vault.OpenImage(record);
        return new ImageFiles(vault, record, image, open(image));
    }

    /// <summary>The files of all file systems in the image, deleted ones too, as far as the reader tells of them.</summary>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="EvidenceException">There is no file system in it that the reader knows (<see cref="ErrorCode.FileRefused"/>), or that failed.</exception>
    public IEnumerable<ImageFile> List(CancellationToken cancellation = default) => fileSystems.Walk(cancellation);

    /// <summary>Finds a file by its path or its id.</summary>
    /// <param name="name">A path as listed, or <c>PARTITION:INODE</c>.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>The file; and the master file table of its file system, where that has one.</returns>
    /// <exception cref="EvidenceException">There is none of that name, or there are several.</exception>
    public (ImageFile File, ImageFile? Table) Find(string name, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        string path = name.TrimStart('/');
        var found = new List<ImageFile>();
        var tables = new Dictionary<int, ImageFile>();
        foreach (ImageFile file in List(cancellation))
        {
            if (file is { Inode: 0, Path: "$MFT" })
                tables.TryAdd(file.Partition, file);
            if (!file.IsFolder && (string.Equals(file.Path, path, StringComparison.Ordinal) || string.Equals(file.Id, name, StringComparison.Ordinal)) && found.Count < 20)
                found.Add(file);
        }

        return found switch
        {
            [] => throw new EvidenceException(ErrorCode.FileNotFound, $"There is no file '{name}' in {record.Item}: 'evidence files' lists those that there are."),
            // Several names of one file are one file.
            [var first, ..] when found.TrueForAll(file => string.Equals(file.Id, first.Id, StringComparison.Ordinal)) => (first, tables.GetValueOrDefault(first.Partition)),
            _ => throw new EvidenceException(
                ErrorCode.FileNotFound, $"There are several files '{name}'. Name one by its id: {string.Join(", ", found.Select(file => $"{file.Id}{(file.IsDeleted ? " (deleted)" : "")}"))}"),
        };
    }

    /// <summary>Returns a file, with the ranges of the image that it comes from, and proofs of those.</summary>
    /// <param name="file">The file.</param>
    /// <param name="table">The master file table of its file system, where that has one.</param>
    /// <param name="folder">A folder that does not exist yet: it gets <c>content</c>, <c>ranges.json</c> and the proofs.</param>
    /// <param name="cancellation">Ends the work; then there is no folder.</param>
    /// <exception cref="EvidenceException">It cannot be shown to come from the image (<see cref="ErrorCode.FileRefused"/>), a part of it is not there (<see cref="AbsentRangeException"/>), or it cannot be
    /// written.</exception>
    public ReturnedFile Return(ImageFile file, ImageFile? table, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        string full = Path.GetFullPath(folder);
        if (Directory.Exists(full) || File.Exists(full))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is something at {full} already; name another folder.");
        file = fileSystems.Locate(file, cancellation);
        CheckFile(file);
        DurableFile.CreateDirectory(full);
        try
        {
            string path = Path.Combine(full, "content");
            (Sha256Digest sha256, bool isDirect) = WriteContent(file, path, cancellation);
            (FileDerivation derivation, IReadOnlyList<FileRun> ranges) = Derive(file, table, path, isDirect, cancellation);
            List<string> proofs = Prove(ranges, full, cancellation);
            byte[] document = ReturnedFile.Encode(reader.Image.Id, file, fileSystems.Name, sha256, derivation, ranges, proofs);
            _ = DurableFile.TryCreate(Path.Combine(full, "ranges.json"), document, writable: true);
            return new ReturnedFile(file, sha256, derivation, ranges, proofs, Sha256Digest.Compute(document));
        }
        catch
        {
            Directory.Delete(full, recursive: true);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        fileSystems.Dispose();
        reader.Dispose();
    }

    private void CheckFile(ImageFile file)
    {
        if (file.Length > reader.Size)
            throw Refused(file, $"it claims {file.Length} bytes, more than the image has");
        if (file.Runs.Count > MostRanges)
            throw Refused(file, $"it lies in more than {MostRanges} ranges, each of which takes a proof: 'evidence mount' it, and take it from there");
        if (file.Runs.FirstOrDefault(run => run.ImageOffset + run.Length > reader.Size) is { Length: > 0 } beyond)
            throw Refused(file, $"a part of it would lie at {beyond.ImageOffset}, behind the image's end");
    }

    /// <summary>Writes what the reader finds, and holds it against what the ranges hold.</summary>
    private (Sha256Digest Sha256, bool IsDirect) WriteContent(ImageFile file, string path, CancellationToken cancellation)
    {
        FileRun[] runs = [.. file.Runs.OrderBy(run => run.FileOffset)];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        bool isDirect = !file.IsResident;
        string written = DurableFile.WriteBeside(
            path,
            output => fileSystems.Read(
                file,
                content =>
                {
                    var window = new byte[WindowLength];
                    var expected = new byte[WindowLength];
                    int first = 0;
                    for (int count; (count = content.ReadAtLeast(window, WindowLength, throwOnEndOfStream: false)) > 0; length += count)
                    {
                        if (length + count > file.Length)
                            throw Refused(file, $"{fileSystems.Name} finds more than its {file.Length} bytes");
                        output.Write(window, 0, count);
                        hash.AppendData(window, 0, count);
                        Gather(runs, ref first, length, expected.AsSpan(0, count));
                        isDirect = isDirect && window.AsSpan(0, count).SequenceEqual(expected.AsSpan(0, count));
                    }
                },
                cancellation),
            writable: true);
        if (!DurableFile.TryPublish(written, path))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already.");
        return length == file.Length
            ? (new Sha256Digest(hash.GetHashAndReset()), isDirect)
            : throw Refused(file, $"{fileSystems.Name} finds {length} of its {file.Length} bytes{(file.IsDeleted ? "; where the rest was, nothing tells any more" : "")}");
    }

    /// <summary>What the runs hold of a part of the file; zeros where there is none. What the image lacks of it is an error.</summary>
    private void Gather(FileRun[] runs, ref int first, long offset, Span<byte> part)
    {
        part.Clear();
        while (first < runs.Length && runs[first].FileOffset + runs[first].Length <= offset)
            first++;
        for (int index = first; index < runs.Length && runs[index].FileOffset < offset + part.Length; index++)
        {
            FileRun run = runs[index];
            long from = Math.Max(run.FileOffset, offset);
            long to = Math.Min(run.FileOffset + run.Length, offset + part.Length);
            if (to > from)
                reader.Read(run.ImageOffset + from - run.FileOffset, part.Slice((int)(from - offset), (int)(to - from)));
        }
    }

    private (FileDerivation Derivation, IReadOnlyList<FileRun> Ranges) Derive(ImageFile file, ImageFile? table, string path, bool isDirect, CancellationToken cancellation)
    {
        if (isDirect)
            return (FileDerivation.Direct, [.. file.Runs.Where(run => run.FileOffset < file.Length).Select(run => run with { Length = Math.Min(run.Length, file.Length - run.FileOffset) }).OrderBy(run => run.FileOffset)]);
        if (file.IsResident)
        {
            return file.Length <= LongestResident && table is not null && MftRecord.Find(reader, fileSystems.Locate(table, cancellation), file, File.ReadAllBytes(path)) is { } own
                ? (FileDerivation.NtfsResident, [own])
                : throw Refused(file, "it lies within its own entry of the file system's table, and was not found there");
        }

        return file.IsCompressed
            ? (FileDerivation.NtfsCompressed, [.. file.Runs.OrderBy(run => run.FileOffset)])
            : throw Refused(file, $"what {fileSystems.Name} finds in it is not what lies where it says that the file lies: it is another stream of the file, is encrypted, or the file system is damaged");
    }

    private List<string> Prove(IReadOnlyList<FileRun> ranges, string folder, CancellationToken cancellation)
    {
        var proofs = new List<string>();
        if (ranges.Count == 0)
            return proofs;
        var prover = new Prover(vault);
        foreach ((long start, long end) in Merge(ranges))
        {
            for (long at = start; at < end; at += Prover.LongestRange)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"{proofs.Count + 1}.proof");
                prover.Write(ProofSubject.OfImage(record.Entry, record.Image, at, Math.Min(Prover.LongestRange, end - at)), Path.Combine(folder, name), cancellation);
                proofs.Add(name);
            }
        }

        return proofs;
    }

    /// <summary>The ranges in the order of the image, those that touch as one.</summary>
    private static IEnumerable<(long Start, long End)> Merge(IEnumerable<FileRun> ranges)
    {
        (long Start, long End)? current = null;
        foreach (FileRun range in ranges.OrderBy(range => range.ImageOffset))
        {
            long end = range.ImageOffset + range.Length;
            if (current is { } before && range.ImageOffset <= before.End)
            {
                current = (before.Start, Math.Max(before.End, end));
                continue;
            }

            if (current is { } done)
                yield return done;
            current = (range.ImageOffset, end);
        }

        if (current is { } last)
            yield return last;
    }

    private static EvidenceException Refused(ImageFile file, string why) => new(ErrorCode.FileRefused, $"The file '{file.Path}' ({file.Id}) is not returned: {why}.");
}
