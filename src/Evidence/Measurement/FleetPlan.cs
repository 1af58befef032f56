namespace Evidence.Measurement;

/// <summary>How long a number of servers takes, and how many machines like the one that was measured: for day and night without a pause, and with disks changed in no time.</summary>
public sealed record FleetPlan
{
    /// <summary>Plans with what was measured.</summary>
    /// <param name="throughput">What one machine images in a second, in bytes; above 0.</param>
    /// <param name="servers">The servers; from 1.</param>
    /// <param name="serverSize">The bytes of all disks of one; from 1.</param>
    /// <param name="time">How long there is; above 0.</param>
    public FleetPlan(double throughput, long servers, long serverSize, TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(throughput);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(servers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(serverSize);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        Bytes = (double)servers * serverSize;
        NeededRate = Bytes / time.TotalSeconds;
        OneMachine = Bytes / throughput;
        Machines = (long)Math.Ceiling(NeededRate / throughput);
    }

    /// <summary>The bytes of all servers; as a number that may be rounded.</summary>
    public double Bytes { get; }

    /// <summary>The bytes that must be imaged in a second.</summary>
    public double NeededRate { get; }

    /// <summary>How many seconds one machine needs for all of it.</summary>
    public double OneMachine { get; }

    /// <summary>How many machines are needed.</summary>
    public long Machines { get; }

    /// <summary>How many disks at once a machine keeps up with.</summary>
    /// <param name="throughput">What it images in a second, in bytes.</param>
    /// <param name="diskSpeed">What a disk gives in a second, in bytes; above 0.</param>
    public static long DisksAtOnce(double throughput, double diskSpeed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(diskSpeed);
        return (long)(throughput / diskSpeed);
    }
}
