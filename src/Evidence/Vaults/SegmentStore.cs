using System.Collections.Concurrent;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Microsoft.Extensions.Logging;

namespace Evidence.Vaults;

/// <summary>
/// Takes segments in, each once, and packs them. All acquisitions of one process share it, so that sixteen alike disks imaged side by side are
/// stored once. After any failed write it is poisoned: it takes nothing more, and says why.
/// </summary>
internal sealed class SegmentStore : IDisposable
{
    /// <summary>A pack is sealed when it has grown to this, in bytes: 128 MiB.</summary>
    internal const long PackSize = 128L << 20;

    private readonly VaultLayout layout;
    private readonly SegmentIndex index;
    private readonly ILogger logger;
    private readonly StagingFolder staging;
    private readonly Lock gate = new();
    private readonly Lock syncing = new();

    /// <summary>Segments that are in packs which are not sealed yet.</summary>
    private readonly ConcurrentDictionary<Sha256Digest, byte> claimed = new();

    /// <summary>The folders of packs that hold segments which need not be stored again, which may not be durable yet.</summary>
    private readonly ConcurrentDictionary<string, byte> countedOn = new(StringComparer.Ordinal);

    /// <summary>Held for reading from a claim until its segment is in a pack; who waits for all of those takes it for writing.</summary>
    private readonly ReaderWriterLockSlim claiming = new();
    private readonly List<Task> sealing = [];
    private TaskCompletionSource rolled = NewSignal();
    private readonly List<Sha256Digest> sealedPacks = [];
    private PackWriter? open;
    private int packs;
    private Exception? poison;

    internal SegmentStore(VaultLayout layout, SegmentIndex index, ILogger logger)
    {
        this.layout = layout;
        this.index = index;
        this.logger = logger;
        staging = StagingFolder.Create(layout, logger);
    }

    /// <summary>Stores content unless the vault, or a pack on its way, has it.</summary>
    /// <param name="id">The SHA-256 of the content.</param>
    /// <param name="content">1 byte to 16 MiB.</param>
    /// <param name="compression">How hard to try to make it smaller.</param>
    /// <param name="scratch">A buffer of at least the content's length.</param>
    /// <returns>The number of bytes that the content takes in its pack, header included; 0 where it was there already.</returns>
    internal int Put(Sha256Digest id, ReadOnlySpan<byte> content, Compression compression, Span<byte> scratch)
    {
        ThrowIfPoisoned();
        if (IsThere(id))
            return 0;
        claiming.EnterReadLock();
        try
        {
            if (!claimed.TryAdd(id, 0))
                return 0;
            Codec codec = SegmentCodec.Compress(content, compression, scratch, out int written);
            ReadOnlySpan<byte> stored = codec == Codec.Stored ? content : scratch[..written];
            return AppendClaimed(RecordHeader.For(id, codec, stored, content.Length), stored);
        }
        catch (Exception e)
        {
            // Another acquisition may count on this claim by now. None of them may be published.
            poison ??= e;
            throw;
        }
        finally
        {
            claiming.ExitReadLock();
        }
    }

    /// <summary>Stores a record as another pack has it, unless the vault, or a pack on its way, has its content.</summary>
    /// <param name="header">Its header; the caller has proven the content by its id.</param>
    /// <param name="stored">Its stored bytes, which the header's checksum covers.</param>
    /// <returns>The number of bytes that the record takes in its pack; 0 where the content was there already.</returns>
    internal int PutRecord(RecordHeader header, ReadOnlySpan<byte> stored)
    {
        ThrowIfPoisoned();
        if (IsThere(header.Id))
            return 0;
        claiming.EnterReadLock();
        try
        {
            return claimed.TryAdd(header.Id, 0) ? AppendClaimed(header, stored) : 0;
        }
        catch (Exception e)
        {
            // As above.
            poison ??= e;
            throw;
        }
        finally
        {
            claiming.ExitReadLock();
        }
    }

    /// <summary>The packs that were sealed so far; complete after <see cref="FlushAsync"/>.</summary>
    internal IReadOnlyList<Sha256Digest> Sealed
    {
        get
        {
            lock (gate)
                return [.. sealedPacks];
        }
    }

    /// <summary>The writer's own folder, which goes with it, or with the next writer.</summary>
    internal string StagingPath => staging.FolderPath;

    /// <summary>The first failed write; null as long as there was none.</summary>
    internal Exception? Failure => poison;

    /// <summary>Whether content is in a pack, or was put and will be.</summary>
    internal bool Holds(Sha256Digest id) => claimed.ContainsKey(id) || index.TryFind(id, out _);

    /// <summary>Makes everything that was put so far durable, what was there already too.</summary>
    internal Task FlushAsync() => SettleAsync(TimeSpan.Zero, CancellationToken.None);

    /// <summary>
    /// Ends when everything that was put so far is durable. Waits a while for packs to fill up by themselves, so that many small ones are not made.
    /// </summary>
    /// <param name="patience">How long to wait for that.</param>
    /// <param name="giveUp">Ends the waiting; then nothing is flushed.</param>
    internal async Task SettleAsync(TimeSpan patience, CancellationToken giveUp)
    {
        // What another acquisition has claimed and is still compressing counts as put: whoever met it since was told that it is there.
        claiming.EnterWriteLock();
        claiming.ExitWriteLock();
        PackWriter? current;
        Task filled;
        lock (gate)
        {
            ThrowIfPoisoned();
            current = open;
            filled = rolled.Task;
        }

        if (current is not null && patience > TimeSpan.Zero)
            await Task.WhenAny(filled, Task.Delay(patience, giveUp)).ConfigureAwait(false);
        giveUp.ThrowIfCancellationRequested();
        Task all;
        lock (gate)
        {
            ThrowIfPoisoned();
            if (current is not null && ReferenceEquals(open, current))
                SealOpen();
            all = Task.WhenAll(sealing);
        }

        await all.ConfigureAwait(false);
        lock (gate)
            sealing.RemoveAll(t => t.IsCompletedSuccessfully);
        SyncCountedOn();
        ThrowIfPoisoned();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            open?.Dispose();
            open = null;
        }

        // Packs that are being sealed keep their promise or fail; either way their task must end before staging goes.
        foreach (Task task in sealing)
            task.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default).Wait();
        staging.Dispose();
        claiming.Dispose();
    }

    private int AppendClaimed(RecordHeader header, ReadOnlySpan<byte> stored)
    {
        lock (gate)
        {
            ThrowIfPoisoned();
            open ??= new PackWriter(layout, staging.NewFile(string.Create(null, $"{++packs}{VaultLayout.PackExtension}")));
            open.Append(header, stored);
            if (open.Length >= PackSize)
                SealOpen();
        }

        return PackFormat.RecordHeaderSize + stored.Length;
    }

    private void SealOpen()
    {
        if (open is not { } writer)
            return;
        open = null;
        rolled.SetResult();
        rolled = NewSignal();
        // Flushing 128 MiB takes a while; the next pack is filled meanwhile.
        sealing.Add(Task.Run(() => Seal(writer)));
    }

    /// <summary>A pack has its name before that is flushed: its writer may be at it, or may have died between the two.</summary>
    private void SyncCountedOn()
    {
        // One at a time: what another has taken out to flush, it has flushed when it lets go.
        lock (syncing)
        {
            foreach (string folder in countedOn.Keys)
            {
                countedOn.TryRemove(folder, out _);
                try
                {
                    DurableFile.SyncDirectory(folder);
                    DurableFile.SyncName(folder);
                }
                catch (EvidenceException e)
                {
                    poison ??= e;
                    throw;
                }
            }
        }
    }

    /// <summary>Whether a sealed pack holds a segment. Its folder is then flushed before anything that counts on it is acknowledged.</summary>
    private bool IsThere(Sha256Digest id)
    {
        if (!index.TryFind(id, out SegmentLocation there))
            return false;
        countedOn.TryAdd(Path.GetDirectoryName(layout.Pack(there.Pack))!, 0);
        return true;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Seal(PackWriter writer)
    {
        try
        {
            using (writer)
            {
                (Sha256Digest name, PackEntry[] entries) = writer.Seal();
                index.AddPack(name, entries);
                lock (gate)
                    sealedPacks.Add(name);
                foreach (PackEntry entry in entries)
                    claimed.TryRemove(entry.Header.Id, out _);
                Log.PackSealed(logger, name, entries.Length, writer.Length);
            }
        }
        catch (Exception e)
        {
            poison ??= e;
            throw;
        }
    }

    private void ThrowIfPoisoned()
    {
        if (poison is EvidenceException known)
            throw new EvidenceException(known.Code, known.Message, known);
        if (poison is not null)
            throw new EvidenceException(ErrorCode.InputOutput, $"Writing to {layout.Folder} failed before: {poison.Message}", poison);
    }
}
