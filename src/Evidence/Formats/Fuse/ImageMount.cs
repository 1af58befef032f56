using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Formats.Fuse;

/// <summary>
/// An image as a read-only file in a folder, through FUSE: <c>image.raw</c>, beside the image's <c>manifest.json</c>. The kernel's protocol is spoken directly, so no library is
/// needed; whoever is not root needs the helper <c>fusermount3</c>.
/// </summary>
public sealed class ImageMount : IDisposable
{
    private readonly ImageReader reader;
    private readonly FuseChannel channel;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private bool isMounted = true;

    private ImageMount(ImageReader reader, FuseChannel channel, string folder, ILogger logger)
    {
        this.reader = reader;
        this.channel = channel;
        this.logger = logger;
        Folder = folder;
    }

    /// <summary>The mount point, in full.</summary>
    public string Folder { get; }

    /// <summary>The file that is the image.</summary>
    public string ImagePath => Path.Combine(Folder, FuseFiles.ImageName);

    /// <summary>Mounts an image. Whoever looks there waits until <see cref="RunAsync"/> serves it.</summary>
    /// <param name="image">The image; its vault must stay open.</param>
    /// <param name="folder">A folder that exists.</param>
    /// <param name="forOthers">Whether other users than this one and root may read there.</param>
    /// <param name="options">How the image is read; what is absent is EIO, or zeros.</param>
    /// <param name="logger">Hears of failures.</param>
    /// <exception cref="EvidenceException">It cannot be mounted there, or not by this user, or there is no FUSE here.</exception>
    public static ImageMount Mount(VaultImage image, string folder, bool forOthers = false, ImageReadOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        string full = Path.GetFullPath(folder);
        ImageReader opened = image.OpenReader(options);
        try
        {
            opened.LoadBeginning();
            return new ImageMount(opened, FuseChannel.Mount(full, forOthers), full, logger ?? NullLogger.Instance);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Serves until the folder is unmounted, by whoever, or it is stopped, which unmounts it.</summary>
    /// <param name="stop">Stops it.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        var files = new FuseFiles(reader);
        Task[] workers =
        [
            .. Enumerable.Range(0, 2 * Math.Clamp(Environment.ProcessorCount, 2, 8)).Select(_ => Task.Factory.StartNew(
                () => Serve(files), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)),
        ];
        CancellationTokenRegistration stopping = stop.UnsafeRegister(static state => ((ImageMount)state!).Unmount(), this);
        await using (stopping.ConfigureAwait(false))
        {
            await Task.WhenAll(workers).ConfigureAwait(false);
            lock (gate)
                isMounted &= stop.IsCancellationRequested;
        }
    }

    /// <summary>Unmounts the folder, where it still is mounted.</summary>
    public void Dispose()
    {
        Unmount();
        channel.Dispose();
        reader.Dispose();
    }

    private void Serve(FuseFiles files)
    {
        try
        {
            new FuseWorker(channel, files, logger).Run();
        }
        finally
        {
            // One for all: whoever ends, for whatever reason, is not left to be missed.
            channel.Wake();
        }
    }

    private void Unmount()
    {
        lock (gate)
        {
            if (!isMounted)
                return;
            isMounted = false;
            if (!channel.TryUnmount(lazily: false))
            {
                Log.MountInUse(logger, Folder);
                channel.TryUnmount(lazily: true);
            }
        }

        channel.Wake();
    }
}
